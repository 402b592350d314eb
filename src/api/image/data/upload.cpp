// PUT /v2/images/{image_id}/file (contract: glance-v2 3.7).
#include "api/image/data/digest.hpp"
#include "api/kit/endpoint.hpp"
#include "base/text.hpp"
#include "model/image_stores.hpp"
#include "ops/metrics.hpp"
#include "service/uploads.hpp"

#include <fmt/format.h>
#include <memory>
#include <utility>

namespace vitrine::api::image {
namespace {

constexpr std::string_view kAction = "upload_image";
constexpr std::string_view kMediaType = "application/octet-stream";
constexpr std::string_view kSizeHeader = "x-openstack-image-size";
constexpr std::string_view kStoreHeader = "X-Image-Meta-Store";

class DataSink final : public net::BodySink {
public:
  DataSink(net::RequestHead head, std::unique_ptr<service::Upload> upload, ops::Metrics& metrics)
      : head_(std::move(head)), upload_(std::move(upload)), metrics_(metrics),
        running_(metrics.gauge(ops::Metric::uploads_running)) {
    running_.add(1);
  }
  ~DataSink() override { running_.add(-1); }

  Block block() override { return upload_->block(); }
  Result<> accept(Block bytes) override {
    auto const size_bytes = bytes.size();
    TRY(upload_->write(std::move(bytes)));
    stored_bytes_ += size_bytes;
    return {};
  }

  Reply finish() override {
    auto const stored = upload_->finish();
    if (!stored) return render(stored.error());
    metrics_.counter(ops::Metric::uploaded).add(stored_bytes_);
    return empty_reply(204);
  }

  Reply refuse(Error const& failure) override {
    upload_->abandon(failure);
    return render(failure);
  }

  void abandon(Error const& failure) override { upload_->abandon(failure); }

private:
  [[nodiscard]] Reply render(Error const& failure) const {
    if (failure.fault == Fault::format_mismatch || failure.fault == Fault::format_unsafe) {
      metrics_.counter(ops::Metric::format_refusals, {name_of(failure.fault)}).add();
    }
    return image_family.refuse(failure, {.head = &head_, .auth_url = {}, .action = kAction});
  }

  net::RequestHead const head_; ///< a copy: the request's own does not outlive `begin`
  std::unique_ptr<service::Upload> upload_;
  ops::Metrics& metrics_;
  ops::Gauge& running_;
  std::uint64_t stored_bytes_{0};
};

Result<> check_media_type(net::RequestHead const& head) {
  auto const given = head.header("Content-Type").value_or("");
  if (given != kMediaType) {
    return error(Fault::media_type,
                 fmt::format("Image data must be sent as {}, not as {}.", kMediaType,
                             given.empty() ? "data without a Content-Type" : given));
  }
  // Stored as it is, encoded data would be another image than the one that was meant.
  auto const coding = head.header("Content-Encoding").value_or("identity");
  if (text::equals_ignoring_case(coding, "identity")) return {};
  return error(
      Fault::media_type,
      fmt::format("Image data must be sent without Content-Encoding, not with '{}'.", coding));
}

// A part must not be taken for the whole (RFC 9110 14.5).
Result<> check_whole(net::RequestHead const& head) {
  if (!head.header("Content-Range")) return {};
  return error(Fault::invalid_value,
               "Image data must be sent whole; Content-Range is not allowed with PUT.",
               "Content-Range");
}

Result<service::Announcement> announcement(net::RequestHead const& head) {
  service::Announcement announced{.size_bytes = {}, .content_length = head.content_length};
  if (!head.has_body()) announced.content_length = 0;
  auto const text = head.header(kSizeHeader);
  if (!text) return announced;
  announced.size_bytes = text::parse_int(*text);
  if (announced.size_bytes && *announced.size_bytes >= 0) return announced;
  return error(Fault::invalid_value,
               fmt::format("{} must be a number of bytes, not '{}'.", kSizeHeader, *text),
               std::string(kSizeHeader));
}

/// The key of the store that the client names, if it does. A single one goes by its driver.
Result<std::optional<std::string>> asked_store(net::RequestHead const& head,
                                               model::ImageStores const& stores) {
  auto const name = head.header(kStoreHeader);
  if (!name) return std::optional<std::string>();
  if (!stores.several() && *name == stores.by_default().driver) return std::optional<std::string>();
  auto const* const store = stores.several() ? stores.named(*name) : nullptr;
  if (store != nullptr) return std::optional(store->key);
  return error(Fault::invalid_value, fmt::format("There is no store '{}'.", *name),
               std::string(kStoreHeader));
}

Result<std::unique_ptr<net::BodySink>> begin(Context& context, Services& services) {
  TRY(check_media_type(context.head));
  TRY(check_whole(context.head));
  auto announced = TRY(announcement(context.head));
  announced.store = TRY(asked_store(context.head, services.image_stores));
  announced.hashes = TRY(expected_hashes(context.head));
  auto upload =
      TRY(services.uploads.begin(context.caller, ImageId{context.param("image_id")}, announced));
  return std::make_unique<DataSink>(context.head, std::move(upload), services.metrics);
}

} // namespace

Endpoint upload_data() {
  return upload_endpoint(
      {.verb = Verb::put,
       .path = "/v2/images/{image_id}/file",
       .name = "image.v2.upload_data",
       .family = &image_family,
       .action = kAction,
       .guard = Guard::token,
       .audit = "image.upload",
       .errors = {Fault::media_type, Fault::invalid_value, Fault::forbidden, Fault::image_not_found,
                  Fault::wrong_status, Fault::too_large, Fault::format_mismatch,
                  Fault::format_unsafe, Fault::image_gone, Fault::store_full, Fault::unavailable},
       .summary = "Upload the data of a queued image.",
       .headers = {{kSizeHeader, "Number of bytes that the data must have."},
                   {kStoreHeader, "Store for the data; the default one without it."},
                   {kContentDigest, "Hashes that the data must have: sha-256, sha-512 (RFC 9530)."},
                   {kReprDigest, "As Content-Digest."}}},
      begin);
}

} // namespace vitrine::api::image
