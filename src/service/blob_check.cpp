#include "service/blob_check.hpp"

#include "store/metadata/blob_index.hpp"
#include "store/metadata/running_uploads.hpp"

#include <iterator>
#include <unordered_map>
#include <unordered_set>

namespace vitrine::service {
namespace {

using Kind = BlobFinding::Kind;

struct Rows {
  std::vector<store::BlobRow> blobs;
  std::unordered_set<BlobId> known; ///< also those of uploads under way
};

Result<Rows> read_rows(store::Database& database) {
  return database.read([](store::Connection& connection) -> Result<Rows> {
    Rows rows;
    rows.blobs = TRY(store::BlobIndex(connection).all());
    for (auto const& row : rows.blobs)
      rows.known.insert(row.id);
    auto const uploads = TRY(store::RunningUploads(connection).all());
    for (auto const& upload : uploads)
      rows.known.insert(upload.id);
    return rows;
  });
}

} // namespace

std::string_view name_of(Kind kind) noexcept {
  switch (kind) {
  case Kind::missing: return "missing";
  case Kind::wrong_size: return "wrong size";
  case Kind::orphaned: return "orphaned";
  }
  return "";
}

Result<std::optional<std::int64_t>> stored_size_bytes(store::Blobs& blobs, BlobId const& id) {
  auto const opened = blobs.open(id);
  if (opened) return std::optional(static_cast<std::int64_t>((*opened)->size_bytes()));
  if (opened.error().fault == Fault::not_found) return std::optional<std::int64_t>();
  return Error(opened.error());
}

// What looks wrong is looked at once more: since the list, data may have come or gone with its row.
Result<BlobReport> check_blobs(store::Database& database, store::Blobs& blobs) {
  std::unordered_map<BlobId, store::StoredBlob> listed;
  TRY(blobs.list([&](store::StoredBlob const& blob) {
    auto const [entry, is_new] = listed.try_emplace(blob.id, blob);
    if (!is_new && blob.committed) entry->second = blob;
  }));
  auto const rows = TRY(read_rows(database));
  BlobReport report{.blobs = std::ssize(rows.blobs), .findings = {}};
  for (auto const& row : rows.blobs) {
    auto const found = listed.find(row.id);
    if (found != listed.end() && found->second.committed &&
        std::cmp_equal(found->second.size_bytes, row.size_bytes)) {
      continue;
    }
    auto const stored = TRY(stored_size_bytes(blobs, row.id));
    if (stored == row.size_bytes) continue;
    report.findings.push_back(
        {stored ? Kind::wrong_size : Kind::missing, row.id, stored.value_or(0), row.size_bytes});
  }
  for (auto const& [id, blob] : listed) {
    if (rows.known.contains(id)) continue;
    if (blob.committed && !TRY(stored_size_bytes(blobs, id))) continue;
    report.findings.push_back({Kind::orphaned, id, static_cast<std::int64_t>(blob.size_bytes), 0});
  }
  auto const fresh = TRY(read_rows(database));
  std::erase_if(report.findings, [&](BlobFinding const& finding) {
    return finding.kind != Kind::orphaned && !fresh.known.contains(finding.id);
  });
  return report;
}

} // namespace vitrine::service
