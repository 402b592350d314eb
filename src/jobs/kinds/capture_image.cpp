#include "jobs/kinds/capture_image.hpp"

#include "jobs/kinds/capture.hpp"
#include "jobs/kinds/capture_state.hpp"
#include "jobs/kinds/captures.hpp"
#include "jobs/kinds/import_image.hpp"
#include "jobs/kinds/remove_backups.hpp"
#include "store/metadata/jobs.hpp"

namespace vitrine::jobs {
namespace {

using service::CaptureSource;

constexpr std::int64_t kUnits = 1000;

std::string_view kind_of(CaptureSource source) {
  switch (source) {
  case CaptureSource::volume: return kCaptureVolume;
  case CaptureSource::server_backup: return kCaptureWholeServer;
  case CaptureSource::backup: return kCaptureBackup;
  case CaptureSource::server:
  case CaptureSource::data_volume: break;
  }
  return kCaptureServer;
}

JobKind capture_kind(std::string_view name, CaptureServices const& services) {
  return {.name = name,
          .run = [services](JobContext& context) -> Result<> {
            auto capture = TRY(Capture::open(context, services, context.job()));
            TRY(capture.run());
            return {};
          },
          .give_up = [services](JobContext& context, Error const& why) -> Result<> {
            // As the attempt left it.
            auto const row = TRY(services.database.read([&](store::Connection& connection) {
              return store::Jobs(connection).get(context.job().id);
            }));
            auto capture = TRY(Capture::open(context, services, row));
            if (TRY(capture.give_up(why)) == Capture::Step::waits) return {};
            return Error(why);
          },
          .counts_silence = true};
}

Order order_for(std::string_view kind, std::string_view image_name, std::string secret) {
  return {.kind = kind,
          .arguments_json = "{}",
          .audit = model::audit::image_create,
          .images = {},
          .lane = model::JobLane::asking,
          .image_name = std::string(image_name),
          .limit = create_limit(),
          .secret = std::move(secret)};
}

} // namespace

Order capture_order(service::Captures const& captures, service::CaptureRequest const& request,
                    model::Mandate const& mandate) {
  auto order = order_for(kind_of(request.source), request.draft.name.value_or(""), mandate.secret);
  order.arguments_json = to_json(CaptureOrder{request, mandate.compute, mandate.volumes});
  order.units = kUnits;
  order.with = [&captures, request](store::Connection& connection, service::KeyStates&) {
    return captures.check(connection, request);
  };
  return order;
}

Order captures_order(service::Captures const& captures,
                     std::vector<service::CaptureRequest> const& requests,
                     model::Mandate const& mandate) {
  auto order = order_for(kCaptureVolumes, requests.front().draft.name.value_or(""), mandate.secret);
  order.units = std::ssize(requests);
  for (auto const& request : requests) {
    order.sub_jobs.push_back(
        {.kind = kCopyVolume,
         .arguments_json = to_json(CaptureOrder{request, mandate.compute, mandate.volumes}),
         .image_name = request.draft.name.value_or("")});
  }
  order.with = [&captures, requests](store::Connection& connection,
                                     service::KeyStates&) -> Result<> {
    for (auto const& request : requests)
      TRY(captures.check(connection, request, std::ssize(requests)));
    return {};
  };
  return order;
}

std::vector<JobKind> capture_kinds(CaptureServices const& services) {
  std::vector<JobKind> kinds{captures_kind(services), remove_backups_kind(services)};
  for (auto const name : {kCaptureServer, kCaptureVolume, kCaptureWholeServer, kCaptureBackup})
    kinds.push_back(capture_kind(name, services));
  return kinds;
}

} // namespace vitrine::jobs
