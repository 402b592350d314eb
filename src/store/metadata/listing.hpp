// Pages of images: one statement a page, whose cost does not grow with the number of images or the depth of
// the page (docs/decisions/0003-listing.md).
#pragma once

#include "model/image.hpp"
#include "model/member.hpp"
#include "store/metadata/connection.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace vitrine::store {

/// What a list may be sorted and filtered by.
enum class ImageColumn : std::uint8_t {
  id,
  name,
  status,
  container_format,
  disk_format,
  size,
  created_at,
  updated_at,
  owner,
  visibility,
  checksum,
  hash_value,
  min_disk,
  min_ram,
  virtual_size,
  is_protected
};

enum class Comparison : std::uint8_t { equal, not_equal, less, at_most, greater, at_least };

/// `column op any of values`; several values only with `equal`.
struct Condition {
  ImageColumn column;
  Comparison comparison{Comparison::equal};
  std::vector<std::variant<std::int64_t, std::string>> values;
};

struct SortKey {
  ImageColumn column{ImageColumn::created_at};
  bool descending{true};
};

/// Sets of images whose union is listed. Each is a range of an index.
struct ImageSets {
  /// Images of one owner, restricted to some visibilities when given.
  struct Owned {
    ProjectId owner;
    std::vector<model::Visibility> only;
  };
  std::optional<Owned> owned;
  std::vector<model::Visibility> open; ///< all images of these visibilities, whoever owns them
  struct Received {
    ProjectId project;
    std::vector<model::MemberStatus> statuses;
  };
  std::optional<Received> received; ///< images shared with a project
};

struct ImageListing {
  ImageSets sets;
  std::vector<bool> hidden{false}; ///< which values of `hidden` are listed
  std::vector<Condition> conditions;
  std::vector<std::pair<std::string, std::string>> properties; ///< all must hold
  std::vector<std::string> tags;                               ///< all must be there
  std::vector<SortKey> sort; ///< total order: ends in created_at and id (see `complete_order`)
  std::optional<model::Image> after; ///< the page starts behind this image
  std::int64_t limit{25};
};

/// Appends created_at and id, in `descending` direction, where they are missing.
void complete_order(std::vector<SortKey>& sort, bool descending);

/// The images of the page, in order; at most `limit`. Runs inside a read of `Database`.
Result<std::vector<model::Image>> list_images(Connection& connection, ImageListing const& listing);

} // namespace vitrine::store
