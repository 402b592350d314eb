#include "jobs/upkeep/upkeep.hpp"

#include "store/metadata/blob_index.hpp"
#include "store/metadata/jobs.hpp"
#include "store/metadata/used_signatures.hpp"

#include <iterator>
#include <span>
#include <vector>

namespace vitrine::jobs {
namespace {

constexpr std::int64_t kRowsPerCommit = 100;
constexpr std::int64_t kSecondsPerDay = 86'400;

// `some` removes up to kRowsPerCommit rows.
template <class Some>
Result<std::int64_t> remove_in_batches(store::Database& database, Some const& some) {
  std::int64_t removed = 0;
  for (;;) {
    auto const count = TRY(database.write(some));
    removed += count;
    if (count < kRowsPerCommit) return removed;
  }
}

// Tells in `gone` whose bytes went.
Result<> remove_bytes(store::Database& database, store::Blobs& store,
                      std::span<store::UnusedBlob const> unused, Clock const& clock,
                      std::vector<BlobId>& gone) {
  for (auto const& blob : unused) {
    // Between the look and now an upload of equal bytes may have taken the blob up again.
    auto const given_up = TRY(database.write([&](store::Connection& connection) {
      return store::BlobIndex(connection).give_up(blob, clock.now());
    }));
    if (!given_up) continue;
    TRY(store.remove(blob.id));
    gone.push_back(blob.id);
  }
  return {};
}

} // namespace

Result<std::int64_t> remove_old_jobs(store::Database& database, Clock const& clock,
                                     std::int64_t retention_days) {
  auto const before = clock.now() + -retention_days * kSecondsPerDay * kMicrosecondsPerSecond;
  return remove_in_batches(database, [&](store::Connection& connection) {
    return store::Jobs(connection).remove_expired(before, kRowsPerCommit);
  });
}

Result<std::int64_t> forget_used_signatures(store::Database& database, Clock const& clock) {
  return remove_in_batches(database, [&](store::Connection& connection) {
    return store::UsedSignatures(connection).forget(clock.now(), kRowsPerCommit);
  });
}

Result<std::int64_t> remove_unused_blobs(store::Database& database, store::Blobs& store,
                                         std::string_view key, Clock const& clock) {
  std::int64_t removed = 0;
  for (;;) {
    auto const unused = TRY(database.read_single([&](store::Connection& connection) {
      return store::BlobIndex(connection).unused(key, kRowsPerCommit);
    }));
    std::vector<BlobId> gone;
    auto const done = remove_bytes(database, store, unused, clock, gone);
    if (!gone.empty()) {
      TRY(database.write([&](store::Connection& connection) {
        return store::BlobIndex(connection).forget(gone);
      }));
    }
    TRY(done);
    removed += std::ssize(gone);
    if (std::ssize(unused) < kRowsPerCommit) return removed;
  }
}

} // namespace vitrine::jobs
