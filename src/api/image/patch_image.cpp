// PATCH /v2/images/{image_id}: a subset of JSON patch in two spellings (contract: glance-v2 3.5).
#include "api/image/attributes.hpp"
#include "api/image/document.hpp"
#include "api/kit/endpoint.hpp"
#include "base/text.hpp"
#include "service/images.hpp"

#include <array>
#include <fmt/format.h>

namespace vitrine::api::image {
namespace {

constexpr std::string_view kV21 = "application/openstack-images-v2.1-json-patch";
constexpr std::string_view kV20 = "application/openstack-images-v2.0-json-patch";

struct Operation {
  enum class Kind : std::uint8_t { add, replace, remove };
  Kind kind;
  std::string name; ///< one level, unescaped
  json::Value value;
  bool add_may_replace;
};

Error malformed(std::string detail) { return error(Fault::invalid_body, std::move(detail)); }

std::optional<Operation::Kind> kind_named(std::string_view name) {
  if (name == "add") return Operation::Kind::add;
  if (name == "replace") return Operation::Kind::replace;
  if (name == "remove") return Operation::Kind::remove;
  return std::nullopt;
}

// RFC 6901 with one level: `~1` is a slash, `~0` a tilde.
Result<std::string> name_of_pointer(std::string_view pointer) {
  if (!pointer.starts_with('/') || pointer.size() < 2) {
    return malformed(fmt::format("Invalid JSON pointer: '{}'.", pointer));
  }
  std::string out;
  for (std::size_t i = 1; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      // The one attribute whose elements have paths; it is offered to nobody.
      if (out == "locations") return out;
      return malformed("Only one level of a JSON pointer is allowed.");
    }
    if (pointer[i] != '~') {
      out += pointer[i];
      continue;
    }
    char const next = i + 1 < pointer.size() ? pointer[++i] : '\0';
    if (next != '0' && next != '1') return malformed("Invalid escape in a JSON pointer.");
    out += next == '0' ? '~' : '/';
  }
  return out;
}

// `{"op": "add", "path": "/x", "value": …}`, or before v2.1 `{"add": "/x", "value": …}`.
Result<Operation> read_operation(json::Value const& entry, bool v21, Setter const& setter) {
  auto const* object = entry.if_object();
  if (object == nullptr) return malformed("Operations must be JSON objects.");
  std::optional<Operation::Kind> kind;
  json::Value const* path = nullptr;
  if (v21) {
    auto const* op = object->if_contains("op");
    if (op == nullptr || !op->is_string()) return malformed("An operation has no 'op'.");
    kind = kind_named(json::view(op->get_string()));
    path = object->if_contains("path");
  } else {
    for (std::string_view const word : {"add", "replace", "remove"}) {
      auto const* found = object->if_contains({word.data(), word.size()});
      if (found == nullptr) continue;
      if (kind) return malformed("An operation names more than one action.");
      kind = kind_named(word);
      path = found;
    }
  }
  if (!kind) return malformed("Operations must be one of add, replace and remove.");
  if (path == nullptr || !path->is_string()) return malformed("An operation has no path.");
  auto name = TRY(name_of_pointer(json::view(path->get_string())));
  Operation operation{*kind, std::move(name), {}, v21};
  if (*kind != Operation::Kind::remove) {
    auto const* value = object->if_contains("value");
    bool const refused = !may_set(operation.name, setter);
    if (value == nullptr && !refused) return malformed("An operation has no value.");
    if (value != nullptr) operation.value = *value;
  }
  return operation;
}

// Without parameters, in lower case (RFC 9110 8.3.1).
std::string media_type(net::RequestHead const& head) {
  auto const header = head.header("Content-Type").value_or("");
  return text::to_lower(text::trim(header.substr(0, header.find(';'))));
}

Result<> apply(Operation const& operation, model::Image& image, model::Properties& properties,
               Setter const& setter) {
  using Kind = Operation::Kind;
  auto const& name = operation.name;
  bool const adds = operation.kind == Kind::add;
  bool const base = is_base(name);
  bool const there = base || properties.contains(name);
  // Who purges properties names also what is only computed, and stays shown (decision 0022).
  bool const purged =
      operation.kind == Kind::remove && !there && setter.ims_profile && is_always_shown(name);
  if (purged) return {};
  // No image has `stores` at a site with a single one, so that only adding it is refused as such.
  if ((name != "stores" || adds) && !TRY(may_set(name, setter))) return {};
  if (!adds && !there) {
    return error(Fault::property_missing, fmt::format("Property {} does not exist.", name));
  }
  if (operation.kind == Kind::remove) {
    if (base) return error(Fault::forbidden, fmt::format("Property {} may not be removed.", name));
    properties.erase(name);
    return {};
  }
  if (adds && there && !operation.add_may_replace) {
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
  return set_attribute(image, properties, name, operation.value, setter.ims_profile);
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
    operations.push_back(TRY(read_operation(entry, type == kV21, setter)));
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
  return json_reply(200, image_json(image, context.caller, ims));
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
