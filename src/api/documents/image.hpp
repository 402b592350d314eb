// The image document: written for answers, read from create and patch bodies (contract:
// glance-v2 3.1, ims-api 3.4 and 10).
#pragma once

#include "api/documents/view.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "model/caller.hpp"
#include "model/image.hpp"
#include "model/image_stores.hpp"

#include <span>
#include <string>
#include <string_view>

namespace vitrine::api::documents {

/// Writes one image as `caller` sees it, with the store of its data where there are several.
void write_image(json::Writer& writer, model::Image const& image, model::Caller const& caller,
                 View view, model::ImageStores const& stores);
std::string image_json(model::Image const& image, model::Caller const& caller, View view,
                       model::ImageStores const& stores);

/// The properties alone, stored and computed: an object of strings.
std::string properties_json(model::Image const& image, model::Caller const& caller, View view);

/// The words that `disk_format` and `container_format` may hold, besides null.
std::span<std::string_view const> disk_formats(bool ims_profile);
std::span<std::string_view const> container_formats();

/// Sets one attribute of the image from the JSON of the Image API, or one of `properties`, which
/// stand beside it until all are set: an image keeps them as one text. Whoever calls has asked
/// `may_set`. Error: `invalid_value` naming the attribute and its limit.
Result<> set_attribute(model::Image& image, model::Properties& properties, std::string_view name,
                       json::Value const& value, bool ims_profile);

/// A tag as it may be stored: 1..255 characters. Error: `invalid_value`.
Result<> check_tag(std::string_view tag);

} // namespace vitrine::api::documents
