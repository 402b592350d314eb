// The names a body may hold and who sets them (contract: glance-v2 3.1, ims-api 3.4 and 10.2).
#pragma once

#include "base/json.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace vitrine::api::image {

/// Who asks to set or remove attributes.
struct Setter {
  bool ims_profile;
  bool is_admin;
  bool creates; ///< by POST, where an attribute is set that is fixed from then on
  bool copies;  ///< with a body that `copies_document`
};

/// True for a field that every image has and users set. All other names are properties.
bool is_base(std::string_view name);

/// May the attribute be set or removed? False when the request is to be taken and nothing done.
/// Errors: `read_only_attribute`, `reserved_attribute`.
Result<bool> may_set(std::string_view name, Setter const& setter);

/// True for the body of a POST that hands on what documents of profile ims compute (`__imagetype`,
/// `__image_source_type` and `__image_size` together), as Nova and Cinder do for snapshots. What
/// such a body may not set is dropped, not refused (decision 0022).
bool copies_document(json::Object const& body);

/// True for a name that every document of profile ims shows, whatever the image stores.
bool is_always_shown(std::string_view name);

/// A name that documents of profile ims may show and other Image APIs do not know.
struct OwnAttribute {
  std::string_view name;
  bool read_only; ///< for users; one that is not belongs to what they set at the start
};
std::vector<OwnAttribute> own_attributes();

/// What an image of profile ims shows for a property that it does not store.
struct Standard {
  std::string_view key; ///< as it stands in JSON, with quotes and colon
  std::string_view text;

  [[nodiscard]] constexpr std::string_view name() const { return key.substr(1, key.size() - 3); }
};
std::span<Standard const> standards();

} // namespace vitrine::api::image
