// What the holder of a token can reach: the catalog, and the projects and domains to scope to.
#include "api/identity/resources.hpp"
#include "api/identity/token_body.hpp"

#include <algorithm>

namespace vitrine::api::identity {
namespace {

// Filters that clients send here too (contract: clients 1).
template <class T>
void keep_named(Context const& context, std::vector<T>& items) {
  auto const name = filter_text(context, "name");
  std::erase_if(items, [&](T const& item) { return name && item.name != *name; });
}

Result<Reply> show_own_catalog(Context& context, Services& services, builtin::Directory&) {
  if (context.caller.domain.empty()) {
    return error(Fault::forbidden, "A token without a scope has no catalog.");
  }
  Reply reply = json_reply(200, {});
  json::Writer writer(reply.body);
  writer.begin_object();
  write_catalog(writer, context, services);
  writer.key("links").begin_object().field("self", context.base_url + "/v3/auth/catalog");
  writer.null_field("previous").null_field("next").end_object().end_object();
  return reply;
}

Result<Reply> list_projects_of_caller(Context& context, Services&, builtin::Directory& directory) {
  auto projects = TRY(directory.projects().of_user(context.caller.user));
  std::erase_if(projects, [](auto const& project) { return !project.enabled; });
  keep_named(context, projects);
  return listed(context, "projects", projects, [&](json::Writer& writer, auto const& one) {
    write_project(writer, context, one);
  });
}

Result<Reply> list_domains_of_caller(Context& context, Services&, builtin::Directory& directory) {
  auto domains = TRY(directory.domains().of_user(context.caller.user));
  keep_named(context, domains);
  return listed(context, "domains", domains,
                [&](json::Writer& writer, auto const& one) { write_domain(writer, context, one); });
}

} // namespace

Endpoint show_catalog() {
  return managed({.verb = Verb::get,
                  .path = "/v3/auth/catalog",
                  .name = "identity.v3.show_catalog",
                  .family = nullptr,
                  .errors = {Fault::forbidden},
                  .summary = "Show the catalog of services."},
                 show_own_catalog);
}

Endpoint list_own_projects() {
  return managed({.verb = Verb::get,
                  .path = "/v3/auth/projects",
                  .name = "identity.v3.list_own_projects",
                  .family = nullptr,
                  .summary = "List the projects that the caller can scope a token to.",
                  .query = {{"name", "Only the one of this name."}}},
                 list_projects_of_caller);
}

Endpoint list_own_domains() {
  return managed({.verb = Verb::get,
                  .path = "/v3/auth/domains",
                  .name = "identity.v3.list_own_domains",
                  .family = nullptr,
                  .summary = "List the domains that the caller can scope a token to.",
                  .query = {{"name", "Only the one of this name."}}},
                 list_domains_of_caller);
}

} // namespace vitrine::api::identity
