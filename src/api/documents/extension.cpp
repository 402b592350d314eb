#include "api/documents/extension.hpp"

#include "api/documents/attributes.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"

#include <array>
#include <fmt/format.h>

namespace vitrine::api::documents {
namespace {

Error wrong(Fault fault, std::string_view name, std::string_view needed) {
  return error(fault, fmt::format("{}: {}", name, needed), std::string(name));
}

// Clients send numbers and booleans for what is stored as text (contract: ims-api 2.1, 6.2).
std::optional<std::string> plain_text(json::Value const& value) {
  if (auto const* text = value.if_string()) return std::string(json::view(*text));
  if (auto const* flag = value.if_bool()) return *flag ? "true" : "false";
  if (auto const number = json::whole_number(value)) return std::to_string(*number);
  if (auto const* number = value.if_double()) return fmt::format("{}", *number);
  return std::nullopt;
}

// Of the fields that are no text in a document, each takes its own JSON type or its text. Ordinary
// properties and names are texts only.
bool takes(Attribute const* attribute, json::Value const& value) {
  if (value.is_string()) return true;
  if (attribute == nullptr || attribute->form == Form::name) return false;
  bool const number = value.is_number();
  switch (attribute->form) {
  case Form::memory:
  case Form::disk:
  case Form::digits: return number;
  case Form::flag: return value.is_bool();
  default: return attribute->name.starts_with("__") && (number || value.is_bool());
  }
}

bool is_true(model::Properties const& properties, std::string_view name) {
  auto const at = properties.find(name);
  return at != properties.end() && text::equals_ignoring_case(at->second, "true");
}

// A type of hardware is there when it is named; a yes or no when it is yes.
bool has_support(model::Properties const& properties, std::string_view name) {
  auto const at = properties.find(name);
  return at != properties.end() && !at->second.empty() &&
         !text::equals_ignoring_case(at->second, "false");
}

struct Exclusion {
  std::string_view one;
  std::string_view other;
};
constexpr std::array<Exclusion, 7> kExclusions = {{{"__support_xen_gpu_type", "__support_xen"},
                                                   {"__support_xen_gpu_type", "__support_kvm"},
                                                   {"__support_kvm_gpu_type", "__support_xen"},
                                                   {"__support_kvm_gpu_type", "__support_kvm"},
                                                   {"__support_xen_hana", "__support_xen"},
                                                   {"__support_xen_hana", "__support_kvm"},
                                                   {"__support_kvm_infiniband", "__support_xen"}}};

} // namespace

Result<std::string> extension_text(std::string_view name, json::Value const& value) {
  auto const* const attribute = attribute_named(name);
  auto const form = attribute == nullptr ? Form::text : attribute->form;
  auto text = takes(attribute, value) ? plain_text(value) : std::nullopt;
  if (!text && (form == Form::memory || form == Form::disk)) {
    return wrong(Fault::memory_or_disk_size, name, "a whole number is needed");
  }
  if (!text) {
    return wrong(form == Form::name ? Fault::name_not_text : Fault::invalid_value, name,
                 "the value is of a wrong type");
  }
  if (auto const misfitting = misfit(form, *text)) {
    return wrong(misfitting->fault, name, misfitting->needed);
  }
  if (text->size() > limits::property_value_bytes) {
    return wrong(Fault::invalid_value, name,
                 fmt::format("at most {} bytes are allowed", limits::property_value_bytes));
  }
  return stored_form(form, *text);
}

Result<> set_by_extension(model::Image& image, model::Properties& properties, std::string_view name,
                          json::Value const& value) {
  if (name.empty() || text::length_utf8(name) > limits::property_name_characters) {
    return wrong(Fault::invalid_value, "a property name",
                 fmt::format("1 to {} characters are needed", limits::property_name_characters));
  }
  auto text = TRY(extension_text(name, value));
  if (name == "name") {
    image.name = std::move(text);
  } else if (name == "protected") {
    image.is_protected = text == "true";
  } else if (name == "min_disk") {
    image.min_disk_gib = text::parse_int(text).value_or(0);
  } else if (name == "min_ram") {
    image.min_ram_mib = text::parse_int(text).value_or(0);
  } else if (name == "max_ram" && text::parse_int(text) == 0) {
    properties.erase("max_ram");
  } else {
    // A character: g++ 12 takes the assignment of a literal for one that overlaps.
    if (name == "enterprise_project_id" && text.empty()) text = '0';
    properties.insert_or_assign(std::string(name), std::move(text));
  }
  return {};
}

std::vector<Error> misfits(model::Image const& image, model::Properties const& properties) {
  std::vector<Error> found;
  auto const memory = properties.find("max_ram");
  if (memory != properties.end()) {
    auto const most = text::parse_int(memory->second).value_or(0);
    if (most != 0 && most < image.min_ram_mib) {
      found.push_back(wrong(Fault::memory_or_disk_size, "max_ram",
                            fmt::format("{} is below min_ram {}", most, image.min_ram_mib)));
    }
  }
  auto const firmware = properties.find("hw_firmware_type");
  if (firmware != properties.end() && firmware->second == "bios" &&
      is_true(properties, "__support_arm")) {
    found.push_back(wrong(Fault::firmware_type, "hw_firmware_type", "an arm image needs uefi"));
  }
  for (auto const& [one, other] : kExclusions) {
    if (has_support(properties, one) && has_support(properties, other)) {
      found.push_back(error(Fault::attributes_exclude, fmt::format("{} excludes {}", one, other),
                            std::string(one)));
    }
  }
  return found;
}

Result<> check_together(model::Image const& image, model::Properties const& properties) {
  auto found = misfits(image, properties);
  if (found.empty()) return {};
  return std::move(found.front());
}

} // namespace vitrine::api::documents
