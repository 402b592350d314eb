// `bucket:object`, the address of an image file in an object store.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace vitrine::model {

struct ObjectUrl {
  std::string bucket; ///< a name by `is_bucket_name`
  std::string object; ///< 1..1024 bytes of UTF-8 without control characters, no path with steps

  bool operator==(ObjectUrl const&) const = default;
};

/// Splits at the first colon (contract: ims-api 6.3.2, `image_url`, and 6.8, `bucket_url`); `field`
/// is the one that holds the text. Errors: `object_url_form` when it is empty or has no colon,
/// `bucket_name_empty`, `bucket_name_invalid`, `object_name_empty`, `object_name_too_long`,
/// `object_name_invalid` when it holds a control character, is no UTF-8, begins or ends with a
/// space, begins with a slash, or has `.` or `..` between slashes.
Result<ObjectUrl> parse_object_url(std::string_view text, std::string_view field);

} // namespace vitrine::model
