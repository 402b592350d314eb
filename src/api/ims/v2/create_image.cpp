// POST /v2/cloudimages/action (contract: ims-api 6.3) and POST /v1/cloudimages/action (6.4).
#include "api/ims/captures.hpp"
#include "api/ims/imports.hpp"
#include "api/ims/v1/job_reply.hpp"
#include "service/access.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace vitrine::api::ims {
namespace {

constexpr std::array<std::string_view, 3> kOrigins = {"image_url", "instance_id", "volume_id"};

bool is_there(json::Object const& object, std::string_view name) {
  return detail::find(object, name) != nullptr;
}

/// What the image is made from.
enum class Origin : std::uint8_t { file, server, volume, volumes };

// Contract: ims-api 6.3.
Result<Origin> origin_of(json::Object const& object) {
  auto const given = std::ranges::count_if(
      kOrigins, [&](std::string_view origin) { return is_there(object, origin); });
  bool const volumes = detail::is_given(object, "data_images");
  if (given > 1 || (is_there(object, "instance_id") && volumes)) {
    return error(Fault::invalid_body, "only one of image_url, instance_id and volume_id");
  }
  if (given == 0 && !volumes) {
    return error(Fault::invalid_body,
                 "one of image_url, instance_id, volume_id and data_images is needed");
  }
  if (is_there(object, "instance_id")) return Origin::server;
  if (is_there(object, "image_url")) return Origin::file;
  return volumes ? Origin::volumes : Origin::volume;
}

// Without a system on it, the file that this path takes is a data disk (contract: ims-api D17).
bool is_data_disk(json::Object const& object) {
  auto const* const system = detail::find(object, "os_version");
  bool const names_system = system != nullptr && *system != "";
  return is_there(object, "image_url") && !names_system && !is_there(object, "type") &&
         !detail::is_given(object, "data_images");
}

service::CaptureSource source_of(Origin origin) {
  switch (origin) {
  case Origin::volume: return service::CaptureSource::volume;
  case Origin::volumes: return service::CaptureSource::data_volume;
  case Origin::file:
  case Origin::server: break;
  }
  return service::CaptureSource::server;
}

Result<jobs::Order> order_from(Context const& context, json::Object const& object, Origin origin,
                               Services& services) {
  auto const source = source_of(origin);
  if (origin == Origin::volumes) return captures_order(context, object, services);
  bool const of_server = origin == Origin::server;
  auto id = of_server
                ? source_id(object, "instance_id", Fault::server_missing, Fault::server_unknown)
                : source_id(object, "volume_id", Fault::volume_unknown, Fault::volume_unknown);
  if (!id) return Error(id.error());
  auto const body = TRY(read_capture(context, object, source, services));
  return capture_order(context, body, source, std::move(*id), services);
}

Result<Reply> create_from(Context const& context, json::Object const& object, Origin origin,
                          Services& services) {
  auto const order = TRY(order_from(context, object, origin, services));
  return job_reply(TRY(services.jobs.submit(context.caller, order)));
}

std::vector<Fault> faults() {
  auto all = import_faults();
  for (auto const fault : capture_faults()) {
    if (std::ranges::find(all, fault) == all.end()) all.push_back(fault);
  }
  all.insert(all.end(), {Fault::object_repeated, Fault::too_many_images});
  return all;
}

// What only some of the bodies have is documented, too.
std::vector<FieldInfo> fields() {
  auto infos = import_infos(Creator::system_disk);
  for (auto& info : infos) {
    info.required = false; // for an image of a file only, or not for those of volumes
    if (info.name != "data_images") continue;
    info.text = "Data disks of the machine from files of their own, or images of these volumes.";
    info.schema = fmt::format(R"({{"anyOf":[{},{}]}})", info.schema, data_volumes_schema());
  }
  infos.push_back({"instance_id", false, R"({"type":"string"})", "A server to make the image of."});
  infos.push_back({"volume_id", false, R"({"type":"string"})", "A volume to make the image of."});
  return infos;
}

} // namespace

Endpoint create_image() {
  return {.spec = {.verb = Verb::post,
                   .path = "/v2/cloudimages/action",
                   .aliases = {"/v2.1/cloudimages/action"},
                   .name = "ims.v2.create_image",
                   .family = &ims_family,
                   .action = "ims:serverImages:create",
                   .audit = "image.create",
                   .errors = faults(),
                   .summary =
                       "Make an image from a file in a bucket, or several of one machine, from a "
                       "server or a volume, as a job."},
          .fields = fields(),
          .run = [](Context& context, Services& services) -> Result<Reply> {
            auto const object = TRY(read_object(context.body));
            auto const origin = TRY(origin_of(object));
            if (origin != Origin::file) return create_from(context, object, origin, services);
            if (names_data_disk(object)) {
              auto const action = services.access.action("ims:dataImages:create");
              TRY(services.access.require(action, context.caller));
            }
            return submit_import(context, object, Creator::system_disk, false, services);
          },
          .begin = {}};
}

Endpoint create_disk_image() {
  return {.spec = {.verb = Verb::post,
                   .path = "/v1/cloudimages/action",
                   .name = "ims.v1.create_disk_image",
                   .family = &ims_family,
                   .action = "ims:dataImages:create",
                   .audit = "image.create",
                   .errors = faults(),
                   .summary = "Make an image of a data disk, or of a system, from a file in a "
                              "bucket, a server or a volume, as a job."},
          .fields = fields(),
          .run = [](Context& context, Services& services) -> Result<Reply> {
            auto const object = TRY(read_object(context.body));
            auto const origin = TRY(origin_of(object));
            if (origin != Origin::file) return create_from(context, object, origin, services);
            bool const data = is_data_disk(object);
            auto const creator = data ? Creator::data_disk : Creator::system_disk;
            return submit_import(context, object, creator, data, services);
          },
          .begin = {}};
}

} // namespace vitrine::api::ims
