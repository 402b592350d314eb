// PATCH /v2/images/{image_id}: a subset of JSON patch in two spellings (contract: glance-v2 3.5).
#include "api/documents/attributes.hpp"
#include "api/documents/image.hpp"
#include "api/documents/patch.hpp"
#include "api/documents/standards.hpp"
#include "api/kit/endpoint.hpp"
#include "base/text.hpp"
#include "service/images.hpp"

#include <fmt/format.h>

namespace vitrine::api::image {
namespace {

using documents::may_set;
using documents::Operation;
using documents::Setter;
using documents::Spelling;

constexpr std::string_view kV21 = "application/openstack-images-v2.1-json-patch";
constexpr std::string_view kV20 = "application/openstack-images-v2.0-json-patch";

Error malformed(std::string detail) { return error(Fault::invalid_body, std::move(detail)); }

// Without parameters, in lower case (RFC 9110 8.3.1).
std::string media_type(net::RequestHead const& head) {
  auto const header = head.header("Content-Type").value_or("");
  return text::to_lower(text::trim(header.substr(0, header.find(';'))));
}

// Glance refuses a name that may not be set before it misses the value.
Result<Operation> read(json::Value const& entry, Spelling spelling, Setter const& setter) {
  auto operation = TRY(read_operation(entry, spelling));
  bool const lacks_value = operation.kind != Operation::Kind::remove && !operation.value;
  if (lacks_value && may_set(operation.name, setter)) {
    return malformed("An operation has no value.");
  }
  return operation;
}

Result<> apply(Operation const& operation, model::Image& image, model::Properties& properties,
               Setter const& setter) {
  using Kind = Operation::Kind;
  auto const& name = operation.name;
  bool const adds = operation.kind == Kind::add;
  bool const base = documents::is_base(name);
  bool const there = base || properties.contains(name);
  // Who purges properties names also what is only computed, and stays shown (decision 0022).
  bool const computed =
      documents::is_computed(name) || documents::standard_named(name, documents::View::ims);
  bool const purged = operation.kind == Kind::remove && !there && setter.ims_profile && computed;
  if (purged) return {};
  // `stores` is no property of an image, so that only adding it is refused as such, as Glance does.
  if ((name != "stores" || adds) && !TRY(may_set(name, setter))) return {};
  if (!adds && !there) {
    return error(Fault::property_missing, fmt::format("Property {} does not exist.", name));
  }
  if (operation.kind == Kind::remove) {
    if (base) return error(Fault::forbidden, fmt::format("Property {} may not be removed.", name));
    properties.erase(name);
    return {};
  }
  if (adds && there && !operation.is_v21) {
    return error(Fault::conflict, fmt::format("Property {} already present.", name));
  }
  if ((name == "disk_format" || name == "container_format") &&
      image.status != model::ImageStatus::queued) {
    return error(Fault::forbidden,
                 fmt::format("Attribute {} can be only replaced for a queued image.", name));
  }
  if (name == "owner" && !setter.is_admin) {
    return error(Fault::forbidden, "Only an administrator may change the owner.");
  }
  return documents::set_attribute(image, properties, name, operation.value.value_or(json::Value{}),
                                  setter.ims_profile);
}

Result<Reply> run(Context& context, Services& services) {
  auto const type = media_type(context.head);
  if (type != kV21 && type != kV20) {
    return error(Fault::media_type,
                 fmt::format("The media type is not supported; use {} or {}.", kV21, kV20));
  }
  auto const body = TRY(read_json(context.body));
  auto const* entries = body.if_array();
  if (entries == nullptr)
    return malformed("Request body must be a JSON array of operation objects.");
  bool const ims = services.images.options().ims_profile;
  Setter const setter{
      .ims_profile = ims, .is_admin = context.caller.is_admin, .creates = false, .copies = false};
  std::vector<Operation> operations;
  for (auto const& entry : *entries) {
    operations.push_back(TRY(read(entry, type == kV21 ? Spelling::v21 : Spelling::v20, setter)));
  }
  auto const apply_all = [&](model::Image& changed) -> Result<> {
    auto properties = changed.properties();
    for (auto const& operation : operations) {
      TRY(apply(operation, changed, properties, setter));
      // Asked for is asked for, though it be so already, or taken back by a later operation.
      if (operation.name == "visibility") {
        TRY(services.images.check_visibility(context.caller, changed));
      }
    }
    changed.set_properties(properties);
    return {};
  };
  ImageId const id{context.param("image_id")};
  auto const image = TRY(services.images.change(context.caller, id, apply_all));
  return json_reply(200, documents::image_json(image, context.caller, documents::native_view(ims),
                                               services.image_stores));
}

} // namespace

Endpoint patch_image() {
  return plain_endpoint({.verb = Verb::patch,
                         .path = "/v2/images/{image_id}",
                         .name = "image.v2.patch_image",
                         .family = &image_family,
                         .action = "modify_image",
                         .guard = Guard::token,
                         .audit = "image.update",
                         .errors = {Fault::invalid_body, Fault::media_type, Fault::image_not_found,
                                    Fault::forbidden, Fault::property_missing, Fault::name_taken,
                                    Fault::property_limit, Fault::tag_limit},
                         .summary = "Change an image; all operations or none.",
                         .takes_body = true,
                         .media = {kV21, kV20}},
                        run);
}

} // namespace vitrine::api::image
