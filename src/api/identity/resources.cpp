#include "api/identity/resources.hpp"

#include <fmt/format.h>

namespace vitrine::api::identity {
namespace {

// Attributes of Keystone that never differ here, but which clients read.
void write_fixed(json::Writer& writer) { writer.key("options").begin_object().end_object(); }

} // namespace

void write_project(json::Writer& writer, Context const& context, model::Project const& project) {
  writer.begin_object().field("id", project.id.text).field("name", project.name);
  writer.field("domain_id", project.domain.text).field("description", project.description);
  writer.field("enabled", project.enabled).field("parent_id", project.domain.text);
  writer.field("is_domain", false).key("tags").begin_array().end_array();
  write_fixed(writer);
  write_self(writer, context, "projects/" + project.id.text);
  writer.end_object();
}

void write_user(json::Writer& writer, Context const& context, model::User const& user) {
  writer.begin_object().field("id", user.id.text).field("name", user.name);
  writer.field("domain_id", user.domain.text).field("enabled", user.enabled);
  if (!user.description.empty()) writer.field("description", user.description);
  if (!user.email.empty()) writer.field("email", user.email);
  if (!user.default_project.empty()) {
    writer.field("default_project_id", user.default_project.text);
  }
  writer.null_field("password_expires_at");
  write_fixed(writer);
  write_self(writer, context, "users/" + user.id.text);
  writer.end_object();
}

void write_role(json::Writer& writer, Context const& context, model::Role const& role) {
  writer.begin_object().field("id", role.id.text).field("name", role.name);
  writer.null_field("domain_id").field("description", role.description);
  write_fixed(writer);
  write_self(writer, context, "roles/" + role.id.text);
  writer.end_object();
}

void write_domain(json::Writer& writer, Context const& context, model::Domain const& domain) {
  writer.begin_object().field("id", domain.id.text).field("name", domain.name);
  writer.field("description", domain.description).field("enabled", domain.enabled);
  writer.key("tags").begin_array().end_array();
  write_fixed(writer);
  write_self(writer, context, "domains/" + domain.id.text);
  writer.end_object();
}

Result<DomainId> read_domain(Fields const& fields) {
  auto const named = TRY(fields.text("domain_id"));
  return DomainId{named.value_or(builtin::kDefaultDomain)};
}

Result<> expect_fixed(Fields const& fields, std::string_view name, std::string_view value) {
  auto const given = TRY(fields.text(name));
  if (!given || *given == value) return {};
  return error(Fault::invalid_value, fmt::format("{} can only be {}", name, value),
               std::string(name));
}

} // namespace vitrine::api::identity
