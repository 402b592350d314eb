// What a list of images asks for: which sets, which conditions, which order, from where.
#pragma once

#include "model/image.hpp"
#include "model/member.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vitrine::model {

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

enum class Comparison : std::uint8_t {
  equal,
  not_equal,
  less,
  at_most,
  greater,
  at_least,
  outside
};

/// `column op any of values`; null fits none. Several values only with `equal`, all texts, and two
/// with `outside`: below the first, or the second and above.
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
    std::vector<Visibility> only;
  };
  std::optional<Owned> owned;
  std::optional<Owned> hidden;  ///< of one owner, those that are hidden: beside all others
  std::vector<Visibility> open; ///< all images of these visibilities, whoever owns them
  struct Received {
    ProjectId project;
    std::vector<MemberStatus> statuses;
  };
  std::optional<Received> received; ///< images shared with a project
};

struct ImageListing {
  ImageSets sets;
  std::vector<bool> hidden{false}; ///< which values of `hidden` are listed
  std::vector<Condition> conditions;
  std::vector<std::pair<std::string, std::string>> properties; ///< all must hold
  /// As one of `properties`, but an image that does not store the property fits, too, unless it
  /// stores one of `without`, or another value of one of `also`. Judged row by row: costs what the
  /// rows cost that do not fit.
  struct Standard {
    std::string name;
    std::string value;
    std::vector<std::string> without{};
    std::vector<std::pair<std::string, std::string>> also{};
  };
  std::vector<Standard> standards;
  std::vector<std::string> tags; ///< all must be there
  /// Only images that are shared as a project sees them (`Image::is_shared_for`), or only others.
  struct Sharing {
    ProjectId viewer;
    bool is_shared;
  };
  std::optional<Sharing> sharing;
  std::vector<SortKey> sort;  ///< total order: ends in created_at and id (see `complete_order`)
  std::optional<Image> after; ///< the page starts behind this image
  std::int64_t limit{25};

  /// A short page in the order of time: costs a walk of so many rows along an index. With a sort.
  [[nodiscard]] bool is_brief() const noexcept;
  /// Whether a row of the sets may be left out.
  [[nodiscard]] bool has_filters() const noexcept;
};

/// Appends created_at and id, in `descending` direction, where they are missing.
void complete_order(std::vector<SortKey>& sort, bool descending);

} // namespace vitrine::model
