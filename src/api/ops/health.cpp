// GET /healthcheck, /healthcheck/live and /healthcheck/ready: for load balancers, without a token.
#include "ops/health.hpp"

#include "api/kit/endpoint.hpp"

#include <optional>

namespace vitrine::api::ops {
namespace {

Result<Reply> live(Context&, Services&) {
  Reply reply;
  reply.content_type = "text/plain; charset=UTF-8";
  reply.body = "OK";
  return reply;
}

Result<Reply> ready(Context& context, Services& services) {
  if (auto const why = services.health.unready_because()) {
    return error(Fault::unavailable, std::string(*why));
  }
  return live(context, services);
}

Endpoint health(std::string_view path, std::string_view name, std::string_view summary,
                Result<Reply> (*run)(Context&, Services&), std::vector<Fault> errors = {}) {
  return plain_endpoint({.verb = Verb::get,
                         .path = path,
                         .name = name,
                         .family = &ops_family,
                         .guard = Guard::open,
                         .errors = std::move(errors),
                         .summary = summary,
                         .quick = true},
                        run);
}

} // namespace

Endpoint health_check() {
  return health("/healthcheck", "ops.health_check", "Tell whether the service answers.", live);
}
Endpoint health_live() {
  return health("/healthcheck/live", "ops.health_live", "Tell whether the process lives.", live);
}
Endpoint health_ready() {
  return health("/healthcheck/ready", "ops.health_ready",
                "Tell whether the service takes requests.", ready, {Fault::unavailable});
}

} // namespace vitrine::api::ops
