#include "service/blob_check.hpp"

#include "model/image_stores.hpp"
#include "store/metadata/running_uploads.hpp"

#include <algorithm>
#include <atomic>
#include <future>
#include <iterator>
#include <unordered_map>
#include <unordered_set>

namespace vitrine::service {
namespace {

using Kind = BlobFinding::Kind;
// Of a store that is far away, which answers many side by side.
constexpr std::size_t kLooksAtOnce = 16;

using Listed = std::unordered_map<BlobId, store::StoredBlob>;

struct Rows {
  std::vector<store::BlobRow> blobs;
  std::unordered_set<BlobId> known;     ///< also those of uploads under way
  std::unordered_set<BlobId> in_stores; ///< the same by the ids that stores have of them

  void add(BlobId const& id) {
    known.insert(id);
    in_stores.insert(model::id_in_store(id));
  }
};

Result<Rows> read_rows(store::Database& database) {
  return database.read([](store::Connection& connection) -> Result<Rows> {
    Rows rows;
    rows.blobs = TRY(store::BlobIndex(connection).all());
    for (auto const& row : rows.blobs)
      rows.add(row.id);
    auto const uploads = TRY(store::RunningUploads(connection).all());
    for (auto const& upload : uploads)
      rows.add(upload.id);
    return rows;
  });
}

/// What is wrong with the bytes that the row tells of, if anything is.
Result<std::optional<BlobFinding>> look_at_row(store::BlobStores& blobs, Listed const& listed,
                                               store::BlobRow const& row) {
  if (!blobs.has(model::store_of(row.id))) {
    return std::optional(BlobFinding{Kind::no_store, row.id, 0, row.size_bytes});
  }
  auto const found = listed.find(row.id);
  if (found != listed.end() && found->second.committed &&
      std::cmp_equal(found->second.size_bytes, row.size_bytes)) {
    return std::optional<BlobFinding>();
  }
  auto const stored = TRY(stored_size_bytes(blobs, row.id));
  if (stored == row.size_bytes) return std::optional<BlobFinding>();
  return std::optional(BlobFinding{stored ? Kind::wrong_size : Kind::missing, row.id,
                                   stored.value_or(0), row.size_bytes});
}

} // namespace

std::string_view name_of(Kind kind) noexcept {
  switch (kind) {
  case Kind::missing: return "missing";
  case Kind::wrong_size: return "wrong size";
  case Kind::orphaned: return "orphaned";
  case Kind::wrong_store: return "wrong store";
  case Kind::no_store: return "store not configured";
  }
  return "";
}

Result<std::optional<std::int64_t>> stored_size_bytes(store::Blobs& blobs, BlobId const& id) {
  auto const opened = blobs.open(id);
  if (opened) return std::optional(static_cast<std::int64_t>((*opened)->size_bytes()));
  if (opened.error().fault == Fault::not_found) return std::optional<std::int64_t>();
  return Error(opened.error());
}

Result<std::vector<std::optional<std::int64_t>>>
stored_sizes_bytes(store::Blobs& blobs, std::span<store::BlobRow const> rows) {
  std::vector<std::optional<std::int64_t>> sizes(rows.size());
  std::atomic<std::size_t> next{0};
  auto const look = [&]() -> Result<> {
    for (auto i = next++; i < rows.size(); i = next++) {
      auto const size = stored_size_bytes(blobs, rows[i].id);
      if (!size) {
        next = rows.size();
        return Error(size.error());
      }
      sizes[i] = *size;
    }
    return {};
  };
  std::vector<std::future<Result<>>> looks(std::min(kLooksAtOnce, rows.size()));
  for (auto& each : looks)
    each = std::async(std::launch::async, look);
  Result<> all;
  for (auto& each : looks) {
    if (auto done = each.get(); !done) all = std::move(done);
  }
  if (!all) return Error(all.error());
  return sizes;
}

// What looks wrong is looked at once more: since the list, data may have come or gone with its row.
Result<BlobReport> check_blobs(store::Database& database, store::BlobStores& blobs) {
  Listed listed;
  TRY(blobs.list([&](store::StoredBlob const& blob) {
    auto const [entry, is_new] = listed.try_emplace(blob.id, blob);
    if (!is_new && blob.committed) entry->second = blob;
  }));
  auto const rows = TRY(read_rows(database));
  BlobReport report{.blobs = std::ssize(rows.blobs), .findings = {}};
  for (auto const& row : rows.blobs) {
    if (auto const wrong = TRY(look_at_row(blobs, listed, row))) report.findings.push_back(*wrong);
  }
  for (auto const& [id, blob] : listed) {
    if (rows.known.contains(id)) continue;
    if (blob.committed && !TRY(stored_size_bytes(blobs, id))) continue;
    bool const elsewhere = rows.in_stores.contains(model::id_in_store(id));
    report.findings.push_back({elsewhere ? Kind::wrong_store : Kind::orphaned, id,
                               static_cast<std::int64_t>(blob.size_bytes), 0});
  }
  auto const fresh = TRY(read_rows(database));
  std::erase_if(report.findings, [&](BlobFinding const& finding) {
    bool const of_row = finding.kind != Kind::orphaned && finding.kind != Kind::wrong_store;
    return of_row && !fresh.known.contains(finding.id);
  });
  return report;
}

} // namespace vitrine::service
