// GET /healthcheck, /healthcheck/live and /healthcheck/ready: for load balancers, without a token.
#include "api/kit/endpoint.hpp"

namespace vitrine::api::ops {
namespace {

Endpoint health(std::string_view path, std::string_view name, std::string_view summary) {
  return plain_endpoint({.verb = Verb::get,
                         .path = path,
                         .name = name,
                         .family = &ops_family,
                         .guard = Guard::open,
                         .summary = summary,
                         .quick = true},
                        [](Context&, Services&) -> Result<Reply> {
                          Reply reply;
                          reply.content_type = "text/plain; charset=UTF-8";
                          reply.body = "OK";
                          return reply;
                        });
}

} // namespace

Endpoint health_check() {
  return health("/healthcheck", "ops.health_check", "Tell whether the service answers.");
}
Endpoint health_live() {
  return health("/healthcheck/live", "ops.health_live", "Tell whether the process lives.");
}
Endpoint health_ready() {
  return health("/healthcheck/ready", "ops.health_ready",
                "Tell whether the service takes requests.");
}

} // namespace vitrine::api::ops
