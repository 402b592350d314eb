// GET /metrics: for Prometheus, without a token.
#include "ops/metrics.hpp"

#include "api/kit/endpoint.hpp"
#include "ops/config.hpp"

namespace vitrine::api::ops {
namespace {

Result<Reply> tell(Context&, Services& services) {
  if (!services.config.metrics.enabled) return error(Fault::not_found);
  Reply reply;
  reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
  reply.body = services.metrics.text();
  return reply;
}

} // namespace

Endpoint show_metrics() {
  return plain_endpoint({.verb = Verb::get,
                         .path = "/metrics",
                         .name = "ops.show_metrics",
                         .family = &ops_family,
                         .guard = Guard::open,
                         .errors = {Fault::not_found},
                         .summary = "Show the figures of this process."},
                        tell);
}

} // namespace vitrine::api::ops
