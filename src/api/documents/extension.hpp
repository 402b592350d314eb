// Attributes as the extension takes them from a body: `PATCH /v2/cloudimages`, and what makes
// images (contract: ims-api 3.4, 6.2, 6.3.1).
#pragma once

#include "base/json.hpp"
#include "base/result.hpp"
#include "model/image.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::api::documents {

/// The text of an attribute's value: a string, or the text of a number, true or false. Errors:
/// those of the attribute's form, with its name and limit; `invalid_value` for other JSON
/// (`name_not_text`: of a name).
Result<std::string> extension_text(std::string_view name, json::Value const& value);

/// Sets one attribute that may be patched, or an ordinary property, which stands in `properties`
/// until all are set. A `max_ram` of 0 is none; an `enterprise_project_id` of "" is "0". Errors:
/// those of `extension_text`.
Result<> set_by_extension(model::Image& image, model::Properties& properties, std::string_view name,
                          json::Value const& value);

/// What rules over more than one attribute are broken: `memory_or_disk_size` (max_ram below
/// min_ram), `firmware_type` (bios on arm), `attributes_exclude`.
std::vector<Error> misfits(model::Image const& image, model::Properties const& properties);
/// Error: the first of the misfits.
Result<> check_together(model::Image const& image, model::Properties const& properties);

} // namespace vitrine::api::documents
