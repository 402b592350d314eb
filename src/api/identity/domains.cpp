#include "api/identity/resources.hpp"

namespace vitrine::api::identity {
namespace {

Result<Reply> list(Context& context, Services&, builtin::Directory& directory) {
  auto const domains =
      TRY(directory.domains().list(filter_text(context, "name"), filter_flag(context, "enabled")));
  return listed(context, "domains", domains,
                [&](json::Writer& writer, auto const& one) { write_domain(writer, context, one); });
}

Result<Reply> show(Context& context, Services&, builtin::Directory& directory) {
  auto const domain = TRY(directory.domains().get({context.param("domain_id")}));
  return wrapped(200, "domain",
                 [&](json::Writer& writer) { write_domain(writer, context, domain); });
}

} // namespace

Endpoint list_domains() {
  return managed({.verb = Verb::get,
                  .path = "/v3/domains",
                  .name = "identity.v3.list_domains",
                  .family = nullptr,
                  .action = "identity:list_domains",
                  .errors = {Fault::forbidden},
                  .summary = "List domains.",
                  .query = {{"name", "Only the one of this name."},
                            {"enabled", "Only enabled or only disabled ones."}}},
                 list);
}

Endpoint show_domain() {
  return managed({.verb = Verb::get,
                  .path = "/v3/domains/{domain_id}",
                  .name = "identity.v3.show_domain",
                  .family = nullptr,
                  .action = "identity:get_domain",
                  .errors = {Fault::forbidden, Fault::not_found},
                  .summary = "Show a domain."},
                 show);
}

} // namespace vitrine::api::identity
