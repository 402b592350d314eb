#include "store/metadata/running_uploads.hpp"

namespace vitrine::store {

Result<> RunningUploads::add(BlobId const& id, std::string_view server, Time now) {
  TRY(connection_.run(sql::insert_upload, {id, server, now}));
  return {};
}

Result<bool> RunningUploads::remove(BlobId const& id) {
  return TRY(connection_.run(sql::delete_upload, {id})) > 0;
}

Result<> RunningUploads::remove_of(std::string_view server) {
  TRY(connection_.run(sql::delete_uploads_of_server, {server}));
  return {};
}

Result<> RunningUploads::remove_unchanged(std::span<RunningUpload const> found) {
  auto const rows = rows_for(
      found, [](RunningUpload const& upload) { return Params{upload.id, upload.touched_at}; });
  TRY(connection_.run_each(sql::delete_unchanged_upload, rows));
  return {};
}

Result<> RunningUploads::touch(std::span<BlobId const> ids, Time now) {
  auto const rows = rows_for(ids, [&](BlobId const& id) { return Params{id, now}; });
  TRY(connection_.run_each(sql::touch_upload, rows));
  return {};
}

Result<std::vector<RunningUpload>> RunningUploads::all() {
  std::vector<RunningUpload> out;
  TRY(connection_.run(sql::list_uploads, {}, [&](Row const& row) {
    out.push_back({.id = row.id<BlobId>(0), .touched_at = row.time(1)});
  }));
  return out;
}

} // namespace vitrine::store
