// POST /v2/cloudimages/action (contract: ims-api 6.3) and POST /v1/cloudimages/action (6.4).
#include "api/ims/creation.hpp"
#include "api/ims/v1/job_reply.hpp"
#include "service/access.hpp"

#include <algorithm>
#include <array>

namespace vitrine::api::ims {
namespace {

constexpr std::array<std::string_view, 3> kOrigins = {"image_url", "instance_id", "volume_id"};

bool is_there(json::Object const& object, std::string_view name) {
  return detail::find(object, name) != nullptr;
}

// What the image is made from: a file, or something of a service that this one has no access to
// (contract: ims-api 6.3, D32).
Result<> require_file(json::Object const& object) {
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
  if (!is_there(object, "image_url")) {
    return error(Fault::not_offered, "there is no compute and no block storage service");
  }
  return {};
}

// Without a system on it, the file that this path takes is a data disk (contract: ims-api D17).
bool is_data_disk(json::Object const& object) {
  return is_there(object, "image_url") && !is_there(object, "os_version") &&
         !is_there(object, "type") && !detail::is_given(object, "data_images");
}

Result<Reply> create(Context const& context, json::Object const& object, Creator creator,
                     bool has_sub_job, Services& services) {
  auto body = TRY(read_fields(object, import_fields(creator), context.caller));
  body.has_sub_job = has_sub_job;
  auto const order = TRY(import_order(context, body, creator, services));
  return job_reply(TRY(services.jobs.submit(context.caller, order)));
}

std::vector<Fault> faults() {
  auto all = import_faults();
  all.insert(all.end(), {Fault::not_offered, Fault::object_repeated, Fault::too_many_images});
  return all;
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
                   .summary = "Make an image from a file in a bucket, or several of one machine, "
                              "as a job."},
          .fields = infos_of(import_fields(Creator::system_disk)),
          .run = [](Context& context, Services& services) -> Result<Reply> {
            auto const object = TRY(read_object(context.body));
            TRY(require_file(object));
            return create(context, object, Creator::system_disk, false, services);
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
                              "bucket, as a job."},
          .fields = infos_of(import_fields(Creator::system_disk)),
          .run = [](Context& context, Services& services) -> Result<Reply> {
            auto const object = TRY(read_object(context.body));
            TRY(require_file(object));
            bool const data = is_data_disk(object);
            return create(context, object, data ? Creator::data_disk : Creator::system_disk, data,
                          services);
          },
          .begin = {}};
}

} // namespace vitrine::api::ims
