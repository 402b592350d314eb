#include "store/metadata/blob_index.hpp"

#include "model/image_stores.hpp"

#include <utility>

namespace vitrine::store {

Result<std::optional<BlobId>> BlobIndex::find(std::string_view hash_value, std::int64_t size_bytes,
                                              std::string_view store) {
  std::optional<BlobId> id;
  TRY(connection_.run(sql::find_blobs_by_content, {hash_value, size_bytes}, [&](Row const& row) {
    auto found = row.id<BlobId>(0);
    if (model::store_of(found) == store) id = std::move(found);
  }));
  return id;
}

Result<> BlobIndex::insert(BlobId const& id, std::int64_t size_bytes, std::string_view hash_value,
                           Time now) {
  TRY(connection_.run(sql::insert_blob, {id, size_bytes, hash_value, now}));
  return {};
}

Result<> BlobIndex::insert_unused(BlobId const& id, std::int64_t size_bytes, Time now) {
  TRY(connection_.run(sql::insert_unused_blob, {id, size_bytes, now}));
  return {};
}

Result<> BlobIndex::add_reference(BlobId const& id) {
  TRY(connection_.run(sql::change_blob_references, {id, 1}));
  return {};
}

Result<> BlobIndex::drop_reference(BlobId const& id) {
  TRY(connection_.run(sql::change_blob_references, {id, -1}));
  return {};
}

Result<> BlobIndex::replace(BlobId const& lost, BlobId const& by, std::string_view hash_value) {
  TRY(connection_.run(sql::replace_blob, {lost, by}));
  TRY(connection_.run(sql::replace_blob_of_images, {lost, by, hash_value}));
  return {};
}

Result<std::vector<UnusedBlob>> BlobIndex::unused(std::string_view store, std::int64_t limit) {
  std::vector<UnusedBlob> out;
  TRY(connection_.run(sql::list_unused_blobs, {limit, store},
                      [&](Row const& row) { out.push_back({row.id<BlobId>(0), row.time(1)}); }));
  return out;
}

Result<std::vector<BlobId>> BlobIndex::some(std::string_view store, std::int64_t limit) {
  std::vector<BlobId> out;
  TRY(connection_.run(sql::list_some_blobs, {limit, store},
                      [&](Row const& row) { out.push_back(row.id<BlobId>(0)); }));
  return out;
}

Result<bool> BlobIndex::give_up(UnusedBlob const& blob, Time now) {
  return TRY(connection_.run(sql::give_up_blob, {blob.id, blob.since, now})) > 0;
}

Result<> BlobIndex::forget(std::span<BlobId const> given_up) {
  auto const rows = rows_for(given_up, [](BlobId const& id) { return Params{id}; });
  TRY(connection_.run_each(sql::delete_unused_blob, rows));
  return {};
}

Result<std::vector<StoreTotal>> BlobIndex::totals() {
  std::vector<StoreTotal> out;
  TRY(connection_.run(sql::total_blobs, {}, [&](Row const& row) {
    out.push_back({row.string(0), row.integer(1), row.integer(2)});
  }));
  return out;
}

Result<BlobUsers> BlobIndex::users(BlobId const& id, std::int64_t limit) {
  BlobUsers out;
  TRY(connection_.run(sql::list_images_of_blob, {id, limit}, [&](Row const& row) {
    out.first.push_back({row.id<ImageId>(0), row.id<ProjectId>(1)});
    out.count = row.integer(2);
  }));
  return out;
}

Result<> BlobIndex::each_sealed(std::function<void(BlobId const&, BlobUser)> const& take) {
  TRY(connection_.run(sql::list_images_of_sealed_blobs, {}, [&](Row const& row) {
    take(row.id<BlobId>(0), {row.id<ImageId>(1), row.id<ProjectId>(2)});
  }));
  return {};
}

Result<std::vector<BlobRow>> BlobIndex::all() {
  std::vector<BlobRow> out;
  TRY(connection_.run(sql::list_blobs, {}, [&](Row const& row) {
    out.push_back({row.id<BlobId>(0), row.integer(1), row.string(2), row.integer(3) > 0});
  }));
  return out;
}

} // namespace vitrine::store
