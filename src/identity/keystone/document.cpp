#include "identity/keystone/document.hpp"

#include <vector>

namespace vitrine::identity::keystone {

Result<Document> Document::of(std::string_view body, std::string_view name) {
  auto const all = TRY(whole(body));
  auto found = all.object(name);
  if (!found.value_.is_object()) return error(Fault::identity_unavailable);
  return found;
}

Result<Document> Document::whole(std::string_view body) {
  auto parsed = json::parse(body);
  if (!parsed) return error(Fault::identity_unavailable);
  return Document(std::move(*parsed));
}

json::Value const* Document::find(std::string_view name) const {
  auto const* object = value_.if_object();
  return object == nullptr ? nullptr : object->if_contains(name);
}

Document Document::object(std::string_view name) const {
  auto const* found = find(name);
  return item(found == nullptr ? json::Value() : *found);
}

Document Document::item(json::Value const& value) { return Document(value); }

std::string Document::text(std::string_view name) const {
  auto const* found = find(name);
  auto const* string = found == nullptr ? nullptr : found->if_string();
  return string == nullptr ? std::string() : std::string(json::view(*string));
}

bool Document::flag(std::string_view name, bool otherwise) const {
  auto const* found = find(name);
  auto const* flag = found == nullptr ? nullptr : found->if_bool();
  return flag == nullptr ? otherwise : *flag;
}

json::Array const* Document::list(std::string_view name) const {
  auto const* found = find(name);
  return found == nullptr ? nullptr : found->if_array();
}

Result<Checked> read_token(std::string_view body, CallerRules const& rules) {
  auto const token = TRY(Document::of(body, "token"));
  auto const user = token.object("user");
  auto const project = token.object("project");
  auto const domain =
      project.text("id").empty() ? token.object("domain") : project.object("domain");
  auto const expires_at = parse_time(token.text("expires_at"));
  Checked out;
  out.caller.user = {user.text("id")};
  out.caller.user_name = user.text("name");
  out.caller.project = {project.text("id")};
  out.caller.domain = {domain.text("id")};
  if (out.caller.user.empty() || !expires_at) return error(Fault::identity_unavailable);
  out.expires_at = *expires_at;
  std::vector<std::string> roles;
  if (auto const* held = token.list("roles")) {
    for (auto const& role : *held)
      roles.push_back(Document::item(role).text("name"));
  }
  rules.apply(roles, out.caller);
  return out;
}

} // namespace vitrine::identity::keystone
