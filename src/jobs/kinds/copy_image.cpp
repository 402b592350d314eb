#include "jobs/kinds/copy_image.hpp"

#include "base/json.hpp"
#include "base/limits.hpp"
#include "jobs/kinds/arguments.hpp"
#include "jobs/kinds/kinds.hpp"
#include "store/metadata/jobs.hpp"

namespace vitrine::jobs {
namespace {

constexpr std::string_view kCopyImage = "imsCopyImageInRegionJob";

std::string to_json(service::CopyRequest const& request) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("source", request.source.text).field("target", request.target.text);
  writer.field("name", request.name).field("description", request.description);
  writer.field("key", request.key).field("enterprise_project", request.enterprise_project);
  writer.end_object();
  return out;
}

Result<service::CopyRequest> from_json(std::string_view text) {
  auto const stored = TRY(Arguments::parse(text));
  service::CopyRequest request;
  request.source.text = TRY(stored.text("source"));
  request.target.text = TRY(stored.text("target"));
  request.name = TRY(stored.text("name"));
  request.description = TRY(stored.text("description"));
  request.key = TRY(stored.text("key"));
  request.enterprise_project = TRY(stored.text("enterprise_project"));
  return request;
}

} // namespace

Order copy_order(model::Caller const& caller, service::Copies const& copies,
                 service::CopyRequest request) {
  return {.kind = kCopyImage,
          .arguments_json = to_json(request),
          .audit = model::audit::image_copy,
          .images = {request.source},
          .image_name = request.name,
          .limit = FlowLimit{.kinds = {kCopyImage}, .of_project = true, .most = limits::copy_jobs},
          .with = [&caller, &copies, request](store::Connection& connection) {
            return copies.check(connection, caller, request);
          }};
}

JobKind copy_image(KindServices const& services) {
  auto& copies = services.copies;
  auto const batch = [](JobContext& context) {
    return service::Batch{context.caller(), context.job().id, context.now()};
  };
  return {
      .name = kCopyImage,
      .run = [&copies, batch](JobContext& context) -> Result<> {
        auto const request = TRY(from_json(context.job().arguments_json));
        return context.commit(1, [&](store::Connection& connection) -> Result<> {
          TRY(copies.make(connection, batch(context), request));
          return store::Jobs(connection).set_image(context.job().id, request.target, request.name);
        });
      },
      .give_up = [&copies, batch](JobContext& context, Error const& why) -> Result<> {
        auto const request = TRY(from_json(context.job().arguments_json));
        auto const told = context.commit(0, [&](store::Connection& connection) -> Result<> {
          TRY(store::Jobs(connection).set_image(context.job().id, {}, {}));
          return copies.tell_failure(connection, batch(context), request, why);
        });
        if (!told) return told;
        return Error(why);
      }};
}

} // namespace vitrine::jobs
