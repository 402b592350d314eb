#include "jobs/engine/caller_json.hpp"

#include "base/json.hpp"

namespace vitrine::jobs {
namespace {

std::string text_of(json::Object const& object, std::string_view name) {
  auto const* value = object.if_contains(name);
  auto const* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(json::view(*text));
}

} // namespace

std::string caller_to_json(model::Caller const& caller) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("user", caller.user.text).field("user_name", caller.user_name);
  writer.field("project", caller.project.text).field("domain", caller.domain.text);
  writer.key("roles").begin_array();
  for (auto const& role : caller.roles)
    writer.string(role);
  writer.end_array().field("is_admin", caller.is_admin);
  writer.field("request_id", caller.request_id).field("address", caller.address).end_object();
  return out;
}

Result<model::Caller> caller_from_json(std::string_view text) {
  auto const value = json::parse(text);
  auto const* object = value ? value->if_object() : nullptr;
  if (object == nullptr) return error(Fault::internal);
  model::Caller caller;
  caller.user = {text_of(*object, "user")};
  caller.user_name = text_of(*object, "user_name");
  caller.project = {text_of(*object, "project")};
  caller.domain = {text_of(*object, "domain")};
  caller.request_id = text_of(*object, "request_id");
  caller.address = text_of(*object, "address");
  if (auto const* admin = object->if_contains("is_admin")) {
    caller.is_admin = admin->is_bool() && admin->get_bool();
  }
  auto const* roles = object->if_contains("roles");
  if (roles != nullptr && roles->is_array()) {
    for (auto const& role : roles->get_array()) {
      if (auto const* name = role.if_string()) caller.roles.emplace_back(json::view(*name));
    }
  }
  return caller;
}

} // namespace vitrine::jobs
