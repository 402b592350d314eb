// Texts that the extension takes for an image (contract: ims-api 6.3.1). Pure. The detail of an
// error says what would fit, without the name of the field.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace vitrine::model {

/// 1 to 128 letters and digits of any script, `-`, `.`, `_` and spaces within. Errors:
/// `name_missing` for nothing, `name_too_long`, `name_form`.
Result<> check_image_name(std::string_view name);
/// `<name>-data<number>`, within what a name may be: the front of a longer one.
std::string data_disk_name(std::string_view name, std::size_t number);
/// At most 1024 characters without CR, LF, `<` and `>`. Errors: `description_too_long`,
/// `description_form`.
Result<> check_description(std::string_view text);
/// Nothing, `0` or a UUID. Error: `enterprise_project_form`.
Result<> check_enterprise_project(std::string_view id);
/// The text for comparing without regard to letter case, of any script.
std::string without_case(std::string_view text);

} // namespace vitrine::model
