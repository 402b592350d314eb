#include "service/store_places.hpp"

#include "model/image_stores.hpp"
#include "service/blob_check.hpp"
#include "store/metadata/blob_index.hpp"
#include "store/metadata/database_id.hpp"
#include "store/metadata/running_uploads.hpp"

#include <cctype>
#include <fmt/format.h>
#include <set>
#include <vector>

namespace vitrine::service {
namespace {

/// As many are looked for: a few may be lost while the place is the right one.
constexpr std::int64_t kSample = 16;

struct Known {
  std::string id; ///< of the database; empty when it has none yet
  std::vector<BlobId> blobs;
};

Result<Known> known_of(store::Database& database, std::string_view key) {
  return database.read([&](store::Connection& connection) -> Result<Known> {
    Known known;
    known.id = TRY(store::database_id(connection));
    known.blobs = TRY(store::BlobIndex(connection).some(key, kSample));
    return known;
  });
}

Result<std::optional<std::string>> mark_of(store::PlaceMark& place) {
  auto mark = TRY(place.mark());
  if (mark) std::erase_if(*mark, [](unsigned char c) { return std::isspace(c) != 0; }); // by hand
  return mark;
}

std::string of_another(std::string_view mark, std::string_view id) {
  return fmt::format(
      "it belongs to another database: its {0} says {1}, this one is {2}. If the data "
      "is of this one all the same, empty that {0}",
      store::PlaceMark::kName, mark, id.empty() ? "new" : id);
}

Result<bool> has_any_of(store::Blobs& blobs, std::vector<BlobId> const& known) {
  for (auto const& id : known) {
    if (TRY(stored_size_bytes(blobs, model::id_in_store(id)))) return true;
  }
  return false;
}

/// What images have no more, or not yet, is known, too.
Result<std::set<std::string>> unused_of(store::Database& database) {
  return database.read([](store::Connection& connection) -> Result<std::set<std::string>> {
    std::set<std::string> known;
    for (auto const& row : TRY(store::BlobIndex(connection).all()))
      known.insert(model::id_in_store(row.id).text);
    for (auto const& upload : TRY(store::RunningUploads(connection).all()))
      known.insert(model::id_in_store(upload.id).text);
    return known;
  });
}

Result<bool> holds_more_than(std::set<std::string> const& known, store::Blobs& blobs) {
  bool found = false;
  TRY(blobs.list([&](store::StoredBlob const& blob) {
    found = found || (blob.committed && !known.contains(blob.id.text));
  }));
  return found;
}

/// Of a place without a mark: of a service from before there were marks, or new.
Result<std::optional<std::string>> why_strange(store::Database& database, store::Blobs& blobs,
                                               Known const& known) {
  constexpr auto kName = store::PlaceMark::kName;
  if (known.blobs.empty()) {
    auto const unused = TRY(unused_of(database));
    if (!TRY(holds_more_than(unused, blobs))) return std::nullopt;
    return fmt::format("it holds image data that the database does not know. Is this the right "
                       "database? If the data may be removed, put an empty {} there",
                       kName);
  }
  if (TRY(has_any_of(blobs, known.blobs))) return std::nullopt;
  return fmt::format(
      "it has none of the image data that the database knows. Is its volume mounted, "
      "and is it the right place? If the data is lost for good, put an empty {} there",
      kName);
}

Result<std::string> take_id(store::Database& database, std::string_view id) {
  return database.write(
      [&](store::Connection& connection) { return store::make_database_id(connection, id); });
}

/// A database that was restored from before it had an id takes that of the place, if its data is
/// there.
Result<std::string> id_for(store::Database& database, store::Blobs& blobs, Known const& known,
                           std::string const& mark) {
  bool const is_restored =
      known.id.empty() && is_job_id(mark) && TRY(has_any_of(blobs, known.blobs));
  return is_restored ? take_id(database, mark) : known.id;
}

} // namespace

Result<std::optional<std::string>> why_of_another(store::Database& database,
                                                  store::PlaceMark& place) {
  auto const mark = TRY(mark_of(place));
  auto const id = TRY(database.read(store::database_id));
  if (!mark || mark->empty() || *mark == id) return std::nullopt;
  return of_another(*mark, id);
}

Result<std::optional<std::string>> why_misplaced(store::Database& database, store::Blobs& blobs,
                                                 store::PlaceMark& place, std::string_view key) {
  // Before the rows: another server may make both meanwhile, in this order.
  auto const mark = TRY(mark_of(place));
  auto const known = TRY(known_of(database, key));
  if (mark && !mark->empty()) {
    auto const id = TRY(id_for(database, blobs, known, *mark));
    return *mark == id ? std::nullopt : std::optional(of_another(*mark, id));
  }
  // An empty mark is the word of an operator.
  auto const strange = mark ? std::nullopt : TRY(why_strange(database, blobs, known));
  if (strange) return strange;
  auto const id = TRY(take_id(database, new_hex_id()));
  TRY(place.set_mark(id));
  return std::nullopt;
}

} // namespace vitrine::service
