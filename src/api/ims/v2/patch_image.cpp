// PATCH /v2/cloudimages/{image_id}: JSON patch with the codes of the extension (contract: ims-api
// 6.2).
#include "api/documents/attributes.hpp"
#include "api/documents/extension.hpp"
#include "api/documents/image.hpp"
#include "api/documents/patch.hpp"
#include "api/documents/standards.hpp"
#include "api/ims/path.hpp"
#include "api/kit/endpoint.hpp"
#include "service/images.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <vector>

namespace vitrine::api::ims {
namespace {

using documents::Operation;
using documents::View;

constexpr std::string_view kKvm = "__support_kvm";

// They are there, whatever the image stores, and stay.
constexpr std::array<std::string_view, 5> kAlways = {"name", "min_ram", "min_disk", "protected",
                                                     "enterprise_project_id"};

bool is_always_there(std::string_view name) {
  return std::ranges::find(kAlways, name) != kAlways.end();
}

Error malformed(std::string detail) { return error(Fault::invalid_body, std::move(detail)); }

Result<Operation> read(json::Value const& entry) {
  auto operation = TRY(documents::read_operation(entry, documents::Spelling::either));
  auto const is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (operation.is_deep || std::ranges::any_of(operation.name, is_upper)) {
    return malformed(
        fmt::format("path: '{}' is no name of one level in lower case", operation.name));
  }
  bool const lacks_value = !operation.value || operation.value->is_null();
  if (operation.kind != Operation::Kind::remove && lacks_value) {
    return malformed(fmt::format("value: {} needs one", operation.name));
  }
  return operation;
}

Result<> require_patchable(std::string_view name) {
  auto const* const attribute = documents::attribute_named(name);
  bool const known = attribute != nullptr;
  bool const ordinary = !name.starts_with("os_glance_") && !name.starts_with("__");
  if (known ? attribute->extension.patches : ordinary) return {};
  return error(Fault::read_only_attribute, std::string(name), std::string(name));
}

bool is_ignored(std::string_view name) {
  auto const* const attribute = documents::attribute_named(name);
  return attribute != nullptr && attribute->by == documents::SetBy::nobody;
}

bool shows_standard(std::string_view name, model::Properties const& properties) {
  auto const* const standard = documents::standard_named(name, View::extension);
  return standard != nullptr && documents::is_shown(*standard, properties);
}

// What is removed is not shown any more: where nothing stored would mean yes, no is stored.
void remove(std::string_view name, model::Properties& properties) {
  properties.erase(std::string(name));
  if (name == kKvm && shows_standard(name, properties)) {
    properties.insert_or_assign(std::string(name), "false");
  }
}

Result<> apply(Operation const& operation, model::Image& image, model::Properties& properties) {
  using enum Operation::Kind;
  auto const& name = operation.name;
  if (is_ignored(name)) return {};
  TRY(require_patchable(name));
  bool const always = is_always_there(name);
  bool const there = always || properties.contains(name) || shows_standard(name, properties);
  if (operation.kind != add && !there) {
    return error(Fault::property_missing, name, name);
  }
  if (operation.kind != remove) {
    return documents::set_by_extension(image, properties, name, *operation.value);
  }
  if (always) return error(Fault::read_only_attribute, name + " stays", name);
  ims::remove(name, properties);
  return {};
}

Result<> apply_all(json::Array const& entries, model::Image& image) {
  std::vector<Operation> operations;
  for (auto const& entry : entries)
    operations.push_back(TRY(read(entry)));
  auto properties = image.properties();
  auto const before = documents::misfits(image, properties);
  for (auto const& operation : operations)
    TRY(apply(operation, image, properties));
  // What the Image API set against the rules is not the fault of this patch.
  for (auto& misfit : documents::misfits(image, properties)) {
    if (std::ranges::find(before, misfit.detail, &Error::detail) == before.end()) {
      return std::move(misfit);
    }
  }
  image.set_properties(properties);
  return {};
}

Result<json::Value> read_body(std::string_view body) {
  if (body.empty()) return error(Fault::empty_body);
  auto value = TRY(read_json(body));
  if (value.is_null()) return error(Fault::empty_body);
  if (!value.is_array()) return malformed("the body must be a JSON array of operations");
  return value;
}

// The image is judged before the operations, as the contract orders it.
Result<Reply> run(Context& context, Services& services) {
  auto const id = path_image(context);
  auto const body = TRY(read_body(context.body));
  auto const change = [&](model::Image& image) -> Result<> {
    if (image.status == model::ImageStatus::active) return apply_all(body.get_array(), image);
    return error(Fault::image_not_active, std::string(name_of(image.status)));
  };
  auto const image =
      TRY(services.images.change_owned(context.caller, id, model::audit::image_update, change));
  return json_reply(
      200, documents::image_json(image, context.caller, View::extension, services.image_stores));
}

} // namespace

Endpoint patch_cloudimage() {
  return plain_endpoint(
      {.verb = Verb::patch,
       .path = "/v2/cloudimages/{image_id}",
       .name = "ims.v2.patch_cloudimage",
       .family = &ims_family,
       .action = "ims:images:update",
       .audit = "image.update",
       .errors = {Fault::forbidden,
                  Fault::invalid_image_id,
                  Fault::empty_body,
                  Fault::invalid_body,
                  Fault::image_not_found,
                  Fault::public_of_others,
                  Fault::not_image_owner,
                  Fault::image_not_active,
                  Fault::read_only_attribute,
                  Fault::property_missing,
                  Fault::attributes_exclude,
                  Fault::name_missing,
                  Fault::name_not_text,
                  Fault::name_too_long,
                  Fault::name_form,
                  Fault::name_taken,
                  Fault::description_too_long,
                  Fault::description_form,
                  Fault::memory_or_disk_size,
                  Fault::firmware_type,
                  Fault::enterprise_project_form},
       .summary = "Change an image; all operations or none.",
       .takes_body = true,
       .media = {"application/json", "application/openstack-images-v2.1-json-patch",
                 "application/openstack-images-v2.0-json-patch"}},
      run);
}

} // namespace vitrine::api::ims
