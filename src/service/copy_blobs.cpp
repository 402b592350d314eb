#include "service/copy_blobs.hpp"

#include "model/image_stores.hpp"
#include "service/blob_check.hpp"
#include "service/digests.hpp"
#include "store/metadata/blob_index.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace vitrine::service {
namespace {

constexpr std::size_t kWaitingBlocksMax = 16;

// Hands all bytes of one blob to `store`, block by block; their SHA-512.
Result<std::string> read_through(store::Blobs& blobs, BlobId const& id, BlockPool& blocks,
                                 DigestPool& pool, Digests::Store store) {
  auto const bytes = TRY(blobs.open(id));
  Digests digests(pool, std::move(store));
  for (std::uint64_t at = 0; at < bytes->size_bytes();) {
    auto block = blocks.take();
    auto const room = block.room();
    auto const count = std::min<std::uint64_t>(room.size(), bytes->size_bytes() - at);
    TRY(bytes->read(at, room.first(count)));
    block.extend(count);
    at += count;
    TRY(digests.add(std::move(block)));
  }
  return digests.finish().sha512;
}

class Copying {
public:
  Copying(store::Blobs& from, store::Blobs& into) : from_(from), into_(into) {}

  // Of sealed bytes the row has no hash: what was read is what must be read back.
  Result<> copy(store::BlobRow row) {
    if (row.hash_value.empty()) row.hash_value = TRY(hash_of_source(row));
    auto const there = read_back(row.id);
    if (there && *there == row.hash_value) return {};
    if (!there && there.error().fault != Fault::not_found) return Error(there.error());
    TRY(into_.remove(row.id));
    TRY(write(row));
    if (TRY(read_back(row.id)) == row.hash_value) return {};
    return error(Fault::conflict,
                 fmt::format("blob {} was copied, and other bytes were read back", row.id.text));
  }

private:
  Result<std::string> read_back(BlobId const& id) {
    return read_through(into_, id, blocks_, digests_, [](auto) -> Result<> { return {}; });
  }

  // No hash where the source is not whole: nothing is equal to that.
  Result<std::string> hash_of_source(store::BlobRow const& row) {
    if (TRY(stored_size_bytes(from_, row.id)) != row.size_bytes) return std::string();
    return read_through(from_, row.id, blocks_, digests_, [](auto) -> Result<> { return {}; });
  }

  Result<> write(store::BlobRow const& row) {
    auto const writer = TRY(into_.create(row.id, static_cast<std::uint64_t>(row.size_bytes)));
    auto const hash = read_through(from_, row.id, blocks_, digests_,
                                   [&](auto bytes) { return writer->write(bytes); });
    if (!hash && hash.error().fault != Fault::not_found) return Error(hash.error());
    if (hash && *hash == row.hash_value) return writer->commit();
    return error(Fault::conflict,
                 fmt::format("blob {} is {}; nothing of it was copied", row.id.text,
                             hash ? "not what the database says" : "missing"));
  }

  store::Blobs& from_;
  store::Blobs& into_;
  BlockPool blocks_;
  DigestPool digests_{2, kWaitingBlocksMax};
};

} // namespace

Result<CopiedBlobs> copy_blobs(store::Database& database, store::Blobs& from, store::Blobs& into,
                               BlobProgress const& progress) {
  auto rows = TRY(database.read(
      [](store::Connection& connection) { return store::BlobIndex(connection).all(); }));
  // The bytes of what no image refers to may be gone already.
  std::erase_if(rows, [](store::BlobRow const& row) {
    return !row.is_used || !model::store_of(row.id).empty();
  });
  CopiedBlobs total{.blobs = std::ssize(rows)};
  for (auto const& row : rows)
    total.bytes += row.size_bytes;
  CopiedBlobs done;
  Copying copying(from, into);
  for (auto const& row : rows) {
    TRY(copying.copy(row));
    ++done.blobs;
    done.bytes += row.size_bytes;
    progress(done, total);
  }
  return done;
}

} // namespace vitrine::service
