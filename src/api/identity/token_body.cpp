#include "api/identity/token_body.hpp"

#include "ops/config.hpp"

#include <array>

namespace vitrine::api::identity {
namespace {

struct CatalogEntry {
  std::string_view id;
  std::string_view type;
  std::string_view name;
  std::string_view path;
  std::array<std::string_view, 3> endpoint_ids; ///< public, internal, admin
};

// Ids must be there and be stable; nobody looks anything up by them.
constexpr std::array kCatalog = {
    CatalogEntry{"4b5b2d6c7ae94a1c8b0f6d5e3c2a1901",
                 "image",
                 "glance",
                 "",
                 {"4b5b2d6c7ae94a1c8b0f6d5e3c2a1911", "4b5b2d6c7ae94a1c8b0f6d5e3c2a1912",
                  "4b5b2d6c7ae94a1c8b0f6d5e3c2a1913"}},
    CatalogEntry{"4b5b2d6c7ae94a1c8b0f6d5e3c2a1902",
                 "identity",
                 "keystone",
                 "/v3",
                 {"4b5b2d6c7ae94a1c8b0f6d5e3c2a1921", "4b5b2d6c7ae94a1c8b0f6d5e3c2a1922",
                  "4b5b2d6c7ae94a1c8b0f6d5e3c2a1923"}},
};
constexpr std::array<std::string_view, 3> kInterfaces = {"public", "internal", "admin"};

void write_domain(json::Writer& writer, model::Domain const& domain) {
  writer.key("domain").begin_object().field("id", domain.id.text).field("name", domain.name);
  writer.end_object();
}

void write_methods(json::Writer& writer, builtin::Token const& token) {
  writer.key("methods").begin_array();
  if (token.has(builtin::Method::password)) writer.string("password");
  if (token.has(builtin::Method::token)) writer.string("token");
  if (token.has(builtin::Method::application_credential)) writer.string("application_credential");
  writer.end_array();
}

void write_user(json::Writer& writer, builtin::Session const& session) {
  writer.key("user").begin_object();
  writer.field("id", session.user.id.text).field("name", session.user.name);
  write_domain(writer, session.user_domain);
  writer.null_field("password_expires_at").end_object();
}

void write_scope(json::Writer& writer, builtin::Session const& session) {
  if (!session.domain) return;
  if (session.project) {
    writer.field("is_domain", false).key("project").begin_object();
    writer.field("id", session.project->id.text).field("name", session.project->name);
    write_domain(writer, *session.domain);
    writer.end_object();
  } else {
    write_domain(writer, *session.domain);
  }
  writer.key("roles").begin_array();
  for (auto const& role : session.roles) {
    writer.begin_object().field("id", role.id.text).field("name", role.name).end_object();
  }
  writer.end_array();
}

void write_credential(json::Writer& writer, builtin::Session const& session) {
  if (!session.credential) return;
  auto const& credential = *session.credential;
  writer.key("application_credential").begin_object();
  writer.field("id", credential.id.text).field("name", credential.name);
  writer.field("restricted", !credential.unrestricted).end_object();
}

} // namespace

void write_catalog(json::Writer& writer, Context const& context, Services const& services) {
  auto const& region = services.config.identity.region;
  writer.key("catalog").begin_array();
  for (auto const& entry : kCatalog) {
    writer.begin_object().key("endpoints").begin_array();
    for (std::size_t i = 0; i < kInterfaces.size(); ++i) {
      writer.begin_object().field("id", entry.endpoint_ids[i]);
      writer.field("interface", kInterfaces[i]).field("region", region).field("region_id", region);
      writer.field("url", context.base_url + std::string(entry.path)).end_object();
    }
    writer.end_array().field("id", entry.id).field("type", entry.type).field("name", entry.name);
    writer.end_object();
  }
  writer.end_array();
}

Reply token_reply(int status, builtin::Session const& session, Context const& context,
                  Services const& services) {
  auto const& token = session.token;
  auto reply = wrapped(status, "token", [&](json::Writer& writer) {
    writer.begin_object();
    write_methods(writer, token);
    write_user(writer, session);
    writer.key("audit_ids").begin_array().string(token.audit_id);
    if (!token.parent_audit_id.empty()) writer.string(token.parent_audit_id);
    writer.end_array();
    writer.field("expires_at", format_microseconds(token.expires_at));
    writer.field("issued_at", format_microseconds(token.issued_at));
    write_scope(writer, session);
    write_credential(writer, session);
    if (session.domain && !context.query.last("nocatalog")) {
      write_catalog(writer, context, services);
    }
    writer.end_object();
  });
  reply.headers.push_back({"Vary", "X-Auth-Token"});
  return reply;
}

} // namespace vitrine::api::identity
