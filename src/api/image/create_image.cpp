// POST /v2/images (contract: glance-v2 3.2, ims-api 10.1).
#include "api/documents/attributes.hpp"
#include "api/documents/image.hpp"
#include "api/kit/endpoint.hpp"
#include "base/text.hpp"
#include "service/images.hpp"
#include "service/os_versions/os_versions.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <vector>

namespace vitrine::api::image {
namespace {

// What a named operating system tells is stored with its name (contract: ims-api 3.4, 3.5).
void describe_system(model::Properties& properties, service::OsVersions const& versions) {
  auto const named = properties.find("__os_version");
  if (named == properties.end()) return;
  auto const version = versions.describe(named->second);
  properties.insert_or_assign("__os_type", version.type);
  properties.insert_or_assign("__os_bit", std::to_string(version.bit));
  properties.insert_or_assign("__platform", version.platform);
}

// Those that data may be uploaded to.
std::string names_of(model::ImageStores const& stores) {
  std::vector<std::string_view> names;
  for (auto const& store : stores.all())
    names.push_back(store.name);
  return fmt::format("{}", fmt::join(names, ","));
}

Result<Reply> run(Context& context, Services& services) {
  auto const object = TRY(read_object(context.body));
  bool const ims = services.images.options().ims_profile;
  documents::Setter const setter{.ims_profile = ims,
                                 .is_admin = context.caller.is_admin,
                                 .creates = true,
                                 .copies = documents::copies_document(object)};
  model::Image image;
  model::Properties properties;
  image.visibility = ims ? model::Visibility::private_ : model::Visibility::shared;
  if (ims) image.container_format = "bare";
  for (auto const& [key, value] : object) {
    std::string_view const name(key.data(), key.size());
    if (name == "id") {
      auto const* text = value.if_string();
      if (text == nullptr || !is_uuid(json::view(*text))) {
        return error(Fault::invalid_value, "Invalid value for 'id': a UUID is needed.", "id");
      }
      // One UUID has one spelling here, or the same id would name different images in the two APIs.
      image.id = ImageId{text::to_lower(json::view(*text))};
      continue;
    }
    if (TRY(documents::may_set(name, setter))) {
      TRY(documents::set_attribute(image, properties, name, value, ims));
    }
  }
  if (ims) describe_system(properties, services.os_versions);
  image.set_properties(properties);
  auto const created = TRY(services.images.create(context.caller, std::move(image)));
  auto reply =
      json_reply(201, documents::image_json(created, context.caller, documents::native_view(ims),
                                            services.image_stores));
  reply.headers.push_back({"Location", context.base_url + "/v2/images/" + created.id.text});
  // No import method is offered yet; clients refuse to ask for one without this header.
  reply.headers.push_back({"OpenStack-image-import-methods", ""});
  if (services.image_stores.several()) {
    reply.headers.push_back({"OpenStack-image-store-ids", names_of(services.image_stores)});
  }
  return reply;
}

} // namespace

Endpoint create_image() {
  return plain_endpoint(
      {.verb = Verb::post,
       .path = "/v2/images",
       .name = "image.v2.create_image",
       .family = &image_family,
       .action = "add_image",
       .guard = Guard::token,
       .audit = "image.create",
       .errors = {Fault::invalid_value, Fault::forbidden, Fault::image_exists, Fault::name_taken,
                  Fault::image_quota, Fault::property_limit, Fault::tag_limit},
       .summary = "Create an image without data.",
       .takes_body = true},
      run);
}

} // namespace vitrine::api::image
