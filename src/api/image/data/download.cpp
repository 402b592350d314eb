// GET /v2/images/{image_id}/file (contract: glance-v2 3.7).
#include "api/image/data/range.hpp"
#include "api/kit/endpoint.hpp"
#include "base/text.hpp"
#include "model/image_stores.hpp"
#include "ops/metrics.hpp"
#include "service/downloads.hpp"
#include "service/images.hpp"

#include <fmt/format.h>
#include <utility>

namespace vitrine::api::image {
namespace {

constexpr std::string_view kAction = "download_image";

// The range asked for; nothing when all is. Some clients send it as Content-Range.
Result<std::optional<ByteRange>> asked_range(net::RequestHead const& head,
                                             std::uint64_t size_bytes) {
  // No answer carries a validator, so none that a client holds can match (RFC 9110 13.1.5).
  if (head.header("If-Range")) return std::optional<ByteRange>();
  if (auto const range = head.header("Range")) return TRY(parse_range(*range, size_bytes));
  if (auto const range = head.header("Content-Range")) {
    return TRY(parse_content_range(*range, size_bytes));
  }
  return std::optional<ByteRange>();
}

Result<Reply> refuse_range(Error const& failure, Context const& context, std::uint64_t size_bytes) {
  if (failure.fault != Fault::range_unsatisfiable) return Error(failure);
  auto reply = image_family.refuse(failure, {.head = &context.head, .auth_url = {}, .action = {}});
  reply.headers.push_back({"Content-Range", fmt::format("bytes */{}", size_bytes)});
  return reply;
}

// An image lies in one store, so that a preference changes nothing; but it must name stores.
Result<> check_preferred(std::string_view names, model::ImageStores const& stores) {
  if (!stores.several()) {
    return error(Fault::invalid_query, "There is one store; none can be preferred.", "prefer");
  }
  for (auto const name : text::split(names, ',')) {
    if (stores.named(text::trim(name)) != nullptr) continue;
    return error(Fault::invalid_query, fmt::format("There is no store '{}'.", text::trim(name)),
                 "prefer");
  }
  return {};
}

Result<Reply> run(Context& context, Services& services) {
  ImageId const id{context.param("image_id")};
  if (auto const names = context.query.last("prefer")) {
    TRY(check_preferred(*names, services.image_stores));
    auto const action = services.access.action("download_from_store");
    TRY(services.images.show_for(action, context.caller, id));
  }
  auto download = TRY(services.downloads.open(context.caller, id));
  if (!download) return empty_reply(204);
  net::DataRange data(std::move(download->data));
  auto const size_bytes = data.length();

  auto const range = asked_range(context.head, size_bytes);
  if (!range) return refuse_range(range.error(), context, size_bytes);
  Reply reply;
  reply.content_type = "application/octet-stream";
  reply.headers.push_back({"Accept-Ranges", "bytes"});
  if (download->checksum) reply.headers.push_back({"Content-MD5", *download->checksum});
  if (auto const& part = *range) {
    reply.status = 206;
    reply.headers.push_back(
        {"Content-Range",
         fmt::format("bytes {}-{}/{}", part->offset, part->offset + part->length - 1, size_bytes)});
    data.narrow(part->offset, part->length);
  }
  if (context.head.method == "GET") {
    services.metrics.counter(ops::Metric::downloaded).add(data.length());
  }
  reply.data = std::move(data);
  return reply;
}

} // namespace

Endpoint download_data() {
  return plain_endpoint(
      {.verb = Verb::get,
       .path = "/v2/images/{image_id}/file",
       .name = "image.v2.download_data",
       .family = &image_family,
       .action = kAction,
       .guard = Guard::token,
       .errors = {Fault::invalid_query, Fault::invalid_value, Fault::range_unsatisfiable,
                  Fault::forbidden, Fault::image_deactivated, Fault::image_not_found,
                  Fault::own_key_not_granted, Fault::key_missing, Fault::key_disabled,
                  Fault::no_key_service, Fault::unavailable},
       .summary = "Download the data of an image, or one range of it.",
       .query = {{"prefer", "Names of stores, where there are several. An image is in one."}}},
      run);
}

} // namespace vitrine::api::image
