#include "service/blob_check.hpp"

#include "model/image_stores.hpp"
#include "store/metadata/running_uploads.hpp"

#include <algorithm>
#include <atomic>
#include <future>
#include <iterator>
#include <thread>
#include <unordered_map>
#include <unordered_set>

namespace vitrine::service {
namespace {

using Kind = BlobFinding::Kind;
// Of a store that is far away, which answers many side by side.
constexpr std::size_t kLooksAtOnce = 16;
// Wrong is what looks so each time: servers change a store and its rows one after the other.
constexpr int kLooks = 3;

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
    return std::optional(
        BlobFinding{.kind = Kind::no_store, .id = row.id, .expected_bytes = row.size_bytes});
  }
  auto const found = listed.find(row.id);
  if (found != listed.end() && found->second.committed &&
      std::cmp_equal(found->second.size_bytes, row.size_bytes)) {
    return std::optional<BlobFinding>();
  }
  auto const stored = TRY(stored_size_bytes(blobs, row.id));
  if (stored == row.size_bytes) return std::optional<BlobFinding>();
  return std::optional(BlobFinding{.kind = stored ? Kind::wrong_size : Kind::missing,
                                   .id = row.id,
                                   .stored_bytes = stored.value_or(0),
                                   .expected_bytes = row.size_bytes});
}

/// What is wrong at the moment, by a list of the stores that is older than the rows.
Result<BlobReport> look(store::Database& database, store::BlobStores& blobs) {
  Listed listed;
  TRY(blobs.list([&](store::StoredBlob const& blob) {
    auto const [entry, is_new] = listed.try_emplace(blob.id, blob);
    if (!is_new && blob.committed) entry->second = blob;
  }));
  auto const rows = TRY(read_rows(database));
  BlobReport report{.blobs = std::ssize(rows.blobs), .findings = {}};
  for (auto const& row : rows.blobs) {
    if (!row.is_used) continue; // its bytes go, if they have not gone
    if (auto const wrong = TRY(look_at_row(blobs, listed, row))) report.findings.push_back(*wrong);
  }
  for (auto const& [id, blob] : listed) {
    if (rows.known.contains(id)) continue;
    if (blob.committed && !TRY(stored_size_bytes(blobs, id))) continue;
    bool const elsewhere = rows.in_stores.contains(model::id_in_store(id));
    report.findings.push_back({.kind = elsewhere ? Kind::wrong_store : Kind::orphaned,
                               .id = id,
                               .stored_bytes = static_cast<std::int64_t>(blob.size_bytes)});
  }
  return report;
}

/// Names the images of what is wrong: those of plain bytes by an index, those of sealed ones, which
/// have none, in one walk over all of them.
Result<> find_users(store::Database& database, std::vector<BlobFinding>& findings) {
  return database.read([&](store::Connection& connection) -> Result<> {
    store::BlobIndex index(connection);
    std::unordered_map<BlobId, store::BlobUsers*> unnamed;
    for (auto& finding : findings) {
      if (finding.kind == Kind::orphaned || finding.kind == Kind::wrong_store) continue;
      finding.users = TRY(index.users(finding.id, BlobFinding::kUsersMax));
      if (finding.users.first.empty()) unnamed.emplace(finding.id, &finding.users);
    }
    if (unnamed.empty()) return {};
    return index.each_sealed([&](BlobId const& id, store::BlobUser user) {
      auto const found = unnamed.find(id);
      if (found == unnamed.end()) return;
      auto& users = *found->second;
      if (++users.count <= BlobFinding::kUsersMax) users.first.push_back(std::move(user));
    });
  });
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

Result<BlobReport> check_blobs(store::Database& database, store::BlobStores& blobs,
                               std::chrono::milliseconds pause) {
  auto report = TRY(look(database, blobs));
  for (int looks = 1; looks < kLooks && !report.findings.empty(); ++looks) {
    std::this_thread::sleep_for(pause);
    auto const again = TRY(look(database, blobs));
    std::erase_if(report.findings, [&](BlobFinding const& finding) {
      return std::ranges::none_of(again.findings, [&](BlobFinding const& other) {
        return other.kind == finding.kind && other.id == finding.id;
      });
    });
  }
  TRY(find_users(database, report.findings));
  return report;
}

} // namespace vitrine::service
