// POST /v1/cloudimages/{image_id}/file (contract: ims-api 6.8).
#include "jobs/kinds/export_image.hpp"

#include "api/ims/fields.hpp"
#include "api/ims/path.hpp"
#include "api/ims/v1/job_reply.hpp"
#include "api/kit/endpoint.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vitrine::api::ims {
namespace {

constexpr std::array<std::string_view, 6> kFormats = {"qcow2", "vhd", "zvhd",
                                                      "vmdk",  "raw", "zvhd2"};

struct Body {
  model::ObjectUrl target;
  std::optional<std::string> format;
  std::optional<Flag> is_quick;
};

/// The format to convert to; none for the bytes as they are stored.
Result<std::string> format_of(Body const& body) {
  if (body.is_quick && body.is_quick->value) return std::string();
  auto const format = body.format.value_or("");
  if (std::ranges::find(kFormats, format) != kFormats.end()) return format;
  return error(Fault::format_unwritable,
               fmt::format("file_format: one of {} is needed", fmt::join(kFormats, ", ")),
               "file_format");
}

Result<Reply> run(Request<Body> const& request, Services& services) {
  auto const image = path_image(request);
  auto const format = TRY(format_of(request.body_value));
  service::ExportRequest const wanted{
      .image = image, .target = request.body_value.target, .format = format};
  auto const order = jobs::export_order(request.caller, services.exports, wanted);
  return job_reply(TRY(services.jobs.submit(request.caller, order)));
}

} // namespace

Endpoint export_image() {
  return endpoint<Body>(
      {.verb = Verb::post,
       .path = "/v1/cloudimages/{image_id}/file",
       .aliases = {"/v2.1/cloudimages/{image_id}/file"},
       .name = "ims.v1.export_image",
       .family = &ims_family,
       .action = "ims:images:export",
       .audit = "image.export",
       .errors = {Fault::empty_body,
                  Fault::invalid_body,
                  Fault::invalid_image_id,
                  Fault::object_url_form,
                  Fault::bucket_name_empty,
                  Fault::bucket_name_invalid,
                  Fault::object_name_empty,
                  Fault::object_name_too_long,
                  Fault::object_name_invalid,
                  Fault::format_unwritable,
                  Fault::image_not_found,
                  Fault::public_not_exported,
                  Fault::not_image_owner,
                  Fault::image_not_active,
                  Fault::full_server_not_exported,
                  Fault::from_backup,
                  Fault::iso_image,
                  Fault::export_forbidden,
                  Fault::not_offered,
                  Fault::own_key_not_granted,
                  Fault::key_missing,
                  Fault::key_disabled,
                  Fault::no_key_service,
                  Fault::export_too_large,
                  Fault::export_running,
                  Fault::no_object_store,
                  Fault::job_not_stored},
       .summary = "Write an image to a file in a bucket, as a job."},
      {required("bucket_url", &Body::target, "The file, as bucket:object; it must not be there."),
       optional("file_format", &Body::format, "qcow2, vhd, zvhd, vmdk, raw or zvhd2."),
       optional("is_quick_export", &Body::is_quick,
                "true writes the bytes as they are stored, whatever file_format says.")},
      run);
}

} // namespace vitrine::api::ims
