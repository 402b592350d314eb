// POST /v1/cloudimages/wholeimages/action (contract: ims-api 6.6).
#include "api/ims/captures.hpp"
#include "api/ims/v1/job_reply.hpp"

namespace vitrine::api::ims {
namespace {

using service::CaptureSource;

constexpr std::string_view kServer = "instance_id";
constexpr std::string_view kBackup = "backup_id";
constexpr std::string_view kText = R"({"type":"string"})";

// One of two is what the image is made from.
Result<CaptureSource> source_of(json::Object const& object) {
  bool const server = detail::find(object, kServer) != nullptr;
  bool const backup = detail::find(object, kBackup) != nullptr;
  if (server == backup) {
    return error(Fault::invalid_body, "one of instance_id and backup_id is needed");
  }
  return server ? CaptureSource::server_backup : CaptureSource::backup;
}

Result<std::string> id_of(json::Object const& object, CaptureSource source) {
  if (source == CaptureSource::backup) {
    return source_id(object, kBackup, Fault::backup_missing, Fault::backup_unknown);
  }
  return source_id(object, kServer, Fault::server_missing, Fault::server_unknown);
}

// There are no backups but those of volumes, which are like CBR's.
Result<> check_type(json::Object const& object) {
  constexpr std::string_view kType = "whole_image_type";
  auto const* value = detail::find(object, kType);
  if (value == nullptr) return {};
  auto const* text = value->if_string();
  if (text != nullptr && json::view(*text) == "CBR") return {};
  if (text != nullptr && json::view(*text) == "CSBS") return error(Fault::backup_kind);
  return error(Fault::image_kind, "whole_image_type: CBR or CSBS is needed", std::string(kType));
}

Result<Reply> run(Context& context, Services& services) {
  auto const object = TRY(read_object(context.body));
  auto const source = TRY(source_of(object));
  auto id = TRY(id_of(object, source));
  auto const body = TRY(read_capture(context, object, source, services));
  TRY(check_type(object));
  auto const order = TRY(capture_order(context, body, source, std::move(id), services));
  return job_reply(TRY(services.jobs.submit(context.caller, order)));
}

std::vector<FieldInfo> fields() {
  auto infos = infos_of(common_fields());
  infos.push_back({kServer, false, std::string(kText), "A server to make the image of."});
  infos.push_back({kBackup, false, std::string(kText), "A backup to make the image of."});
  infos.push_back({"whole_image_type", false, std::string(kText), "Of the backup: CBR."});
  infos.push_back({"vault_id", false, std::string(kText), "Ignored: there is one vault."});
  return infos;
}

std::vector<Fault> faults() {
  auto all = capture_faults();
  for (auto const fault : {Fault::backup_missing, Fault::backup_unknown, Fault::backup_kind,
                           Fault::image_kind, Fault::no_backup_service}) {
    all.push_back(fault);
  }
  return all;
}

} // namespace

Endpoint create_whole_image() {
  return {.spec = {.verb = Verb::post,
                   .path = "/v1/cloudimages/wholeimages/action",
                   .name = "ims.v1.create_whole_image",
                   .family = &ims_family,
                   .action = "ims:wholeImages:create",
                   .audit = "image.create",
                   .errors = faults(),
                   .summary = "Make an image of a whole server, or of a backup, as a job."},
          .fields = fields(),
          .run = run,
          .begin = {}};
}

} // namespace vitrine::api::ims
