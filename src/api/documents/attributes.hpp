// The attributes of an image: one row for each name that has a meaning, and every reader and writer
// of images goes by it (contract: glance-v2 3.1, ims-api 3.4 and 10.2).
#pragma once

#include "api/documents/forms.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace vitrine::api::documents {

/// Who sets an attribute.
enum class SetBy : std::uint8_t {
  user,      ///< a field that users set
  service,   ///< a field that the service sets
  ims,       ///< set by the service in profile ims, an ordinary property in the other
  reserved,  ///< a property that the service alone sets, or a field not on offer
  operators, ///< a property that administrators set
  creator,   ///< a property that POST sets
  owner,     ///< a property of a known form that users set
  nobody,    ///< taken for the sake of old clients, and dropped
};

/// What the extension does with an attribute: `GET` and `PATCH /v2/cloudimages`.
struct Extension {
  bool filters; ///< documented as a filter; every other name is one of properties
  bool patches; ///< may be changed
};

struct Attribute {
  std::string_view name;
  SetBy by;
  Form form{Form::text};
  Extension extension{false, false};
};
/// Every other name is a property that the owner sets.
std::span<Attribute const> attributes();
/// The row of that name; null for an ordinary property.
Attribute const* attribute_named(std::string_view name);

/// Who asks to set or remove attributes through the Image API.
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

/// A name that documents of profile ims may show and other Image APIs do not know.
struct OwnAttribute {
  std::string_view name;
  bool read_only; ///< for users; one that is not belongs to what they set at the start
};
std::vector<OwnAttribute> own_attributes();

/// True for a name that documents of profile ims compute, and no image stores.
bool is_computed(std::string_view name);

} // namespace vitrine::api::documents
