#include "api/documents/image.hpp"

#include "api/documents/attributes.hpp"
#include "api/documents/standards.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <unordered_set>

namespace vitrine::api::documents {
namespace {

// Those of Glance; zvhd and zvhd2, which are carried in either profile, since their bytes pass as
// no other format (decisions L4, L5, L10); then two that Glance has not, of profile ims only.
constexpr std::array<std::string_view, 15> kDiskFormats = {"ami",   "ari",  "aki",   "vhd",  "vhdx",
                                                           "vmdk",  "raw",  "qcow2", "vdi",  "iso",
                                                           "ploop", "zvhd", "zvhd2", "qcow", "qed"};
constexpr std::size_t kImsFormats = 2;
constexpr std::array<std::string_view, 8> kContainerFormats = {
    "ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed"};

template <class List>
bool holds(List const& list, std::string_view word) {
  return std::ranges::find(list, word) != std::end(list);
}

Error invalid(std::string_view name, std::string_view why) {
  return error(Fault::invalid_value, fmt::format("Invalid value for '{}': {}.", name, why),
               std::string(name));
}

Result<std::string> text_value(std::string_view name, json::Value const& value) {
  if (auto const* text = value.if_string()) return std::string(json::view(*text));
  return invalid(name, "a string is needed");
}

Result<std::optional<std::string>> text_or_null(std::string_view name, json::Value const& value) {
  if (value.is_null()) return std::optional<std::string>{};
  return std::optional(TRY(text_value(name, value)));
}

Result<bool> flag_value(std::string_view name, json::Value const& value) {
  if (auto const* flag = value.if_bool()) return *flag;
  return invalid(name, "true or false is needed");
}

Result<std::int64_t> size_value(std::string_view name, json::Value const& value) {
  auto const number = json::whole_number(value);
  if (!number || *number < 0 || *number > limits::minimum_size_max) {
    return invalid(name,
                   fmt::format("a whole number from 0 to {} is needed", limits::minimum_size_max));
  }
  return *number;
}

Result<> set_tags(model::Image& image, json::Value const& value) {
  auto const* array = value.if_array();
  if (array == nullptr) return invalid("tags", "an array of strings is needed");
  std::vector<std::string> tags;
  std::unordered_set<std::string> seen;
  for (auto const& element : *array) {
    auto tag = TRY(text_value("tags", element));
    TRY(check_tag(tag));
    if (seen.insert(tag).second) tags.push_back(std::move(tag));
  }
  image.set_tags(tags);
  return {};
}

Result<> set_property(model::Properties& properties, std::string_view name,
                      json::Value const& value, bool ims_profile) {
  if (name.empty() || text::length_utf8(name) > limits::property_name_characters) {
    return invalid(name, fmt::format("a property name has 1 to {} characters",
                                     limits::property_name_characters));
  }
  auto text = TRY(text_value(name, value));
  if (text.size() > limits::property_value_bytes) {
    return invalid(name, fmt::format("at most {} bytes are allowed", limits::property_value_bytes));
  }
  // Empty is how some clients unset a property.
  auto const* const attribute = ims_profile && !text.empty() ? attribute_named(name) : nullptr;
  if (attribute != nullptr) {
    if (auto const wrong = misfit(attribute->form, text)) return invalid(name, wrong->needed);
  }
  properties.insert_or_assign(std::string(name), std::move(text));
  return {};
}

Result<> set_base(model::Image& image, std::string_view name, json::Value const& value,
                  bool ims_profile) {
  if (name == "tags") return set_tags(image, value);
  if (name == "protected") {
    image.is_protected = TRY(flag_value(name, value));
  } else if (name == "os_hidden") {
    image.hidden = TRY(flag_value(name, value));
  } else if (name == "min_disk") {
    image.min_disk_gib = TRY(size_value(name, value));
  } else if (name == "min_ram") {
    image.min_ram_mib = TRY(size_value(name, value));
  } else if (name == "visibility") {
    auto const visibility = model::visibility_named(TRY(text_value(name, value)));
    if (!visibility) return invalid(name, "public, private, shared or community is needed");
    image.visibility = *visibility;
    image.auto_shared = false; // asked for, also when it was so already
  } else {
    auto text = TRY(text_or_null(name, value));
    if (text && text::length_utf8(*text) > limits::name_characters) {
      return invalid(name,
                     fmt::format("at most {} characters are allowed", limits::name_characters));
    }
    if (name == "name") image.name = std::move(text);
    if (name == "owner") {
      // No project has that name; null is how an owner is left out.
      if (text && text->empty()) return error(Fault::forbidden, "No image may be owned by ''.");
      image.owner = ProjectId{std::move(text).value_or("")};
    }
    if (name == "disk_format") {
      if (text && !holds(disk_formats(ims_profile), *text)) {
        return invalid(name, "unknown disk format '" + *text + "'");
      }
      image.disk_format = std::move(text);
    } else if (name == "container_format") {
      if (text && !holds(kContainerFormats, *text)) {
        return invalid(name, "unknown container format '" + *text + "'");
      }
      image.container_format = std::move(text);
    }
  }
  return {};
}

void nullable(json::Writer& writer, std::string_view name, std::optional<std::string> const& text) {
  writer.key(name);
  text ? writer.string(*text) : writer.null();
}

void nullable(json::Writer& writer, std::string_view name, std::optional<std::int64_t> number) {
  writer.key(name);
  number ? writer.integer(*number) : writer.null();
}

// Custom properties stand beside the base fields: the stored object without its braces.
void write_properties(json::Writer& writer, model::Image const& image) {
  auto const inner =
      std::string_view(image.properties_json).substr(1, image.properties_json.size() - 2);
  if (!inner.empty()) writer.raw(inner);
}

// Contract: ims-api 3.1 and 3.4; stored values of these names win over the standards.
void write_computed(json::Writer& writer, model::Image const& image, model::Caller const& caller,
                    View view) {
  bool const gold = image.visibility == model::Visibility::public_;
  bool const shared = image.is_shared_for(caller.project);
  writer.field("__imagetype", gold ? "gold" : shared ? "shared" : "private");
  writer.field("__image_source_type", "uds");
  writer.field("__image_size", std::to_string(image.size_bytes.value_or(0)));
  if (view == View::extension && image.active_at) {
    writer.field("active_at", format_seconds(*image.active_at));
  }
  // Most images store none of them: one look for all.
  StoredText const stored(image.properties_json);
  if (view == View::ims_list && stored.has(R"("enterprise_project_id":)")) {
    writer.field("_sys_enterprise_project_id", image.properties().at("enterprise_project_id"));
  }
  bool const stores_some = stored.has(R"("__)");
  for (auto const& one : standards(view)) {
    bool const looks = stores_some || !one.name().starts_with("__") || one.of_machines;
    if (!looks || stored.shows(one)) writer.field(one.name(), one.text);
  }
}

} // namespace

std::span<std::string_view const> disk_formats(bool ims_profile) {
  return std::span(kDiskFormats).first(kDiskFormats.size() - (ims_profile ? 0 : kImsFormats));
}
std::span<std::string_view const> container_formats() { return kContainerFormats; }

void write_image(json::Writer& writer, model::Image const& image, model::Caller const& caller,
                 View view, model::ImageStores const& stores) {
  auto const self = "/v2/images/" + image.id.text;
  writer.begin_object();
  writer.field("id", image.id.text);
  nullable(writer, "name", image.name);
  writer.field("status", name_of(image.status)).field("visibility", name_of(image.visibility));
  writer.field("protected", image.is_protected).field("os_hidden", image.hidden);
  nullable(writer, "owner", image.owner.empty() ? std::nullopt : std::optional(image.owner.text));
  nullable(writer, "disk_format", image.disk_format);
  nullable(writer, "container_format", image.container_format);
  writer.field("min_disk", image.min_disk_gib).field("min_ram", image.min_ram_mib);
  nullable(writer, "size", image.size_bytes);
  nullable(writer, "virtual_size", image.virtual_size_bytes);
  nullable(writer, "checksum", image.checksum);
  writer.key("os_hash_algo");
  image.hash_value ? writer.string("sha512") : writer.null();
  nullable(writer, "os_hash_value", image.hash_value);
  writer.field("created_at", format_seconds(image.created_at));
  writer.field("updated_at", format_seconds(image.updated_at));
  writer.key("tags").raw(image.tags_json);
  writer.field("self", self).field("file", self + "/file").field("schema", "/v2/schemas/image");
  if (view != View::extension && stores.several() && !image.blob.empty()) {
    writer.field("stores", stores.name_of_store(image.blob));
  }
  if (!image.upload_error.empty() && (caller.is_admin || caller.project == image.owner)) {
    writer.field("os_glance_upload_error", std::string_view(image.upload_error));
  }
  if (view != View::glance) write_computed(writer, image, caller, view);
  write_properties(writer, image);
  writer.end_object();
}

std::string properties_json(model::Image const& image, model::Caller const& caller, View view) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  if (view != View::glance) write_computed(writer, image, caller, view);
  write_properties(writer, image);
  writer.end_object();
  return out;
}

std::string image_json(model::Image const& image, model::Caller const& caller, View view,
                       model::ImageStores const& stores) {
  std::string out;
  out.reserve(1536 + image.properties_json.size());
  json::Writer writer(out);
  write_image(writer, image, caller, view, stores);
  return out;
}

Result<> set_attribute(model::Image& image, model::Properties& properties, std::string_view name,
                       json::Value const& value, bool ims_profile) {
  if (is_base(name)) return set_base(image, name, value, ims_profile);
  return set_property(properties, name, value, ims_profile);
}

Result<> check_tag(std::string_view tag) {
  if (tag.empty() || text::length_utf8(tag) > limits::tag_characters) {
    return invalid("tags", fmt::format("a tag has 1 to {} characters", limits::tag_characters));
  }
  return {};
}

} // namespace vitrine::api::documents
