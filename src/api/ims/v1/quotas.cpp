// GET /v1/cloudimages/quota and GET /v1/{project_id}/cloudimages/quota (contract: ims-api 8).
#include "service/quotas.hpp"

#include "api/ims/path.hpp"
#include "api/kit/endpoint.hpp"

namespace vitrine::api::ims {
namespace {

Result<Reply> answer(ProjectId const& project, Services& services) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("quotas").begin_object().key("resources").begin_array();
  for (auto const& row : TRY(services.quotas.usage(project))) {
    writer.begin_object().field("type", row.type).field("used", row.used);
    writer.field("quota", row.quota).field("min", row.min).field("max", row.max).end_object();
  }
  writer.end_array().end_object().end_object();
  return json_reply(200, std::move(body));
}

} // namespace

Endpoint show_quotas() {
  return plain_endpoint({.verb = Verb::get,
                         .path = "/v1/cloudimages/quota",
                         .name = "ims.v1.show_quotas",
                         .family = &ims_family,
                         .action = "ims:quotas:get",
                         .errors = {Fault::forbidden},
                         .summary = "Show the limits of the own project and what is used."},
                        [](Context& context, Services& services) -> Result<Reply> {
                          return answer(context.caller.project, services);
                        });
}

Endpoint show_project_quotas() {
  return plain_endpoint(
      {.verb = Verb::get,
       .path = "/v1/{project_id}/cloudimages/quota",
       .name = "ims.v1.show_project_quotas",
       .family = &ims_family,
       .action = "ims:quotas:get",
       .errors = {Fault::forbidden, Fault::invalid_project_id, Fault::project_mismatch},
       .summary = "Show the limits of a project and what is used."},
      [](Context& context, Services& services) -> Result<Reply> {
        return answer(path_project(context), services);
      });
}

} // namespace vitrine::api::ims
