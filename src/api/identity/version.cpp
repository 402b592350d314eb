#include "api/identity/wire.hpp"

namespace vitrine::api::identity {
namespace {

constexpr std::string_view kMediaType = "application/vnd.openstack.identity-v3+json";

void write_version(json::Writer& writer, Context const& context) {
  writer.begin_object().field("id", "v3.14").field("status", "stable");
  writer.field("updated", "2020-04-07T00:00:00Z").key("links").begin_array().begin_object();
  writer.field("rel", "self").field("href", context.base_url + "/v3/");
  writer.end_object().end_array().key("media-types").begin_array().begin_object();
  writer.field("base", "application/json").field("type", kMediaType);
  writer.end_object().end_array().end_object();
}

Result<Reply> run(Context& context, Services&, builtin::Directory&) {
  return wrapped(200, "version", [&](json::Writer& writer) { write_version(writer, context); });
}

} // namespace

Endpoint show_version() {
  return open({.verb = Verb::get,
               .path = "/v3",
               .name = "identity.v3.show_version",
               .family = nullptr,
               .summary = "Show the version of the identity API."},
              run);
}

} // namespace vitrine::api::identity
