#include "service/store_places.hpp"

#include "model/image_stores.hpp"
#include "service/blob_check.hpp"
#include "store/metadata/blob_index.hpp"
#include "store/metadata/database_id.hpp"

#include <cctype>
#include <fmt/format.h>
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

Result<bool> has_any_of(store::Blobs& blobs, std::vector<BlobId> const& known) {
  for (auto const& id : known) {
    if (TRY(stored_size_bytes(blobs, model::id_in_store(id)))) return true;
  }
  return false;
}

Result<bool> holds_something(store::Blobs& blobs) {
  bool found = false;
  TRY(blobs.list([&](store::StoredBlob const& blob) { found = found || blob.committed; }));
  return found;
}

/// Of a place without a mark: of a service from before there were marks, or new.
Result<std::optional<std::string>> why_strange(store::Blobs& blobs, Known const& known) {
  constexpr auto kName = store::PlaceMark::kName;
  if (known.blobs.empty()) {
    if (!TRY(holds_something(blobs))) return std::nullopt;
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

} // namespace

Result<std::optional<std::string>> why_misplaced(store::Database& database, store::Blobs& blobs,
                                                 store::PlaceMark& place, std::string_view key) {
  auto const known = TRY(known_of(database, key));
  auto mark = TRY(place.mark());
  if (mark) std::erase_if(*mark, [](unsigned char c) { return std::isspace(c) != 0; }); // by hand
  if (mark && !mark->empty()) {
    if (*mark == known.id) return std::nullopt;
    return fmt::format("it belongs to another database: its {} says {}, this one is {}",
                       store::PlaceMark::kName, *mark, known.id.empty() ? "new" : known.id);
  }
  // An empty mark is the word of an operator.
  auto const strange = mark ? std::nullopt : TRY(why_strange(blobs, known));
  if (strange) return strange;
  auto const id = TRY(database.write(store::make_database_id));
  TRY(place.set_mark(id));
  return std::nullopt;
}

} // namespace vitrine::service
