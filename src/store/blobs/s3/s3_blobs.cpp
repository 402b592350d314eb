#include "store/blobs/s3/s3_blobs.hpp"

#include "base/text.hpp"
#include "store/blobs/s3/object_writer.hpp"
#include "store/blobs/s3/xml.hpp"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

namespace vitrine::store::s3 {
namespace {

constexpr std::uint64_t kPartsMax = 10'000;
constexpr std::uint64_t kMebibyte = 1U << 20U;
// A read costs a round trip and, while the client takes the bytes, this much memory.
constexpr std::size_t kReadBytes = 4U << 20U;

Error unreadable() {
  return error(Fault::unavailable, "The image store answers what cannot be read.");
}

/// Parts so large that as many bytes as announced fit in as many parts as there may be.
std::size_t part_bytes_for(std::size_t usual, std::uint64_t size_bytes) {
  auto const needed = (size_bytes + kPartsMax - 1) / kPartsMax;
  if (needed <= usual) return usual;
  return (needed + kMebibyte - 1) / kMebibyte * kMebibyte;
}

class ObjectBytes final : public StoredBytes {
public:
  ObjectBytes(Calls& calls, std::string key, std::uint64_t size_bytes)
      : calls_(calls), key_(std::move(key)), size_bytes_(size_bytes) {}

  [[nodiscard]] std::uint64_t size_bytes() const noexcept override { return size_bytes_; }
  [[nodiscard]] std::size_t read_bytes_best() const noexcept override { return kReadBytes; }

  Result<> read(std::uint64_t offset, std::span<std::byte> into) override {
    std::size_t filled = 0;
    auto const take = [&](net::client::Response const& head,
                          std::span<std::byte const> bytes) -> Result<> {
      if (head.status != 206 || bytes.size() > into.size() - filled) return unreadable();
      std::memcpy(into.data() + filled, bytes.data(), bytes.size());
      filled += bytes.size();
      return {};
    };
    auto range = fmt::format("bytes={}-{}", offset, offset + into.size() - 1);
    TRY(calls_.send(
        {.key = key_, .headers = {{"Range", std::move(range)}}, .download = take, .begin = [&] {
           filled = 0;
         }}));
    return filled == into.size() ? Result<>() : unreadable();
  }

private:
  Calls& calls_;
  std::string const key_;
  std::uint64_t const size_bytes_;
};

} // namespace

Result<std::unique_ptr<S3Blobs>> S3Blobs::open(Options options) {
  std::unique_ptr<S3Blobs> blobs(new S3Blobs());
  blobs->calls_ = TRY(Calls::open(std::move(options), blobs->clock_));
  return blobs;
}

Result<std::unique_ptr<BlobWriter>> S3Blobs::create(BlobId const& id,
                                                    std::optional<std::uint64_t> size_bytes) {
  auto const part_bytes = part_bytes_for(calls_->options().part_bytes, size_bytes.value_or(0));
  return std::make_unique<ObjectWriter>(*calls_, id.text, part_bytes);
}

Result<std::unique_ptr<StoredBytes>> S3Blobs::open(BlobId const& id) {
  auto const answer = calls_->send({.method = "HEAD", .key = id.text});
  if (!answer && answer.error().fault == Fault::not_found) {
    return error(Fault::not_found, "the data is missing in the image store");
  }
  if (!answer) return Error(answer.error());
  auto const length = text::parse_int(answer->header("Content-Length").value_or(""));
  if (!length || *length < 0) return unreadable();
  return std::make_unique<ObjectBytes>(*calls_, id.text, static_cast<std::uint64_t>(*length));
}

Result<> S3Blobs::remove(BlobId const& id) {
  auto const removed = calls_->send({.method = "DELETE", .key = id.text});
  if (!removed && removed.error().fault != Fault::not_found) return Error(removed.error());
  std::vector<std::string> uploads;
  TRY(list_uploads(calls_->options().prefix + id.text, [&](std::string_view upload) {
    uploads.push_back(text_in(upload, "UploadId"));
  }));
  for (auto const& upload : uploads)
    TRY(drop_parts(*calls_, id.text, upload, 3));
  return {};
}

Result<> S3Blobs::list(std::function<void(StoredBlob const&)> const& each) {
  TRY(list_objects(each));
  return list_uploads(calls_->options().prefix, [&](std::string_view upload) {
    if (auto const blob = blob_of(upload, "Initiated", false)) each(*blob);
  });
}

/// What an entry of a list tells of; nothing when the key is none of ours.
std::optional<StoredBlob> S3Blobs::blob_of(std::string_view entry, std::string_view time,
                                           bool committed) const {
  auto key = text_in(entry, "Key");
  auto const& prefix = calls_->options().prefix;
  if (!key.starts_with(prefix)) return std::nullopt;
  StoredBlob blob{.id = {key.substr(prefix.size())}, .changed_at = {}, .committed = committed};
  auto const changed = parse_time(text_in(entry, time));
  if (!is_job_id(blob.id.text) || !changed) return std::nullopt; // ids of blobs have that form, too
  blob.size_bytes = static_cast<std::uint64_t>(text::parse_int(text_in(entry, "Size")).value_or(0));
  blob.changed_at = *changed;
  return blob;
}

Result<> S3Blobs::list_objects(std::function<void(StoredBlob const&)> const& each) {
  Query const first{{"list-type", "2"}, {"prefix", calls_->options().prefix}};
  for (auto query = first;;) {
    auto const page = TRY(calls_->send({.query = query}));
    each_element(page.body, "Contents", [&](std::string_view entry) {
      if (auto const blob = blob_of(entry, "LastModified", true)) each(*blob);
    });
    if (text_in(page.body, "IsTruncated") != "true") return {};
    query = first;
    query.emplace_back("continuation-token", text_in(page.body, "NextContinuationToken"));
  }
}

Result<> S3Blobs::list_uploads(std::string const& prefix,
                               std::function<void(std::string_view upload)> const& each) {
  Query const first{{"uploads", ""}, {"prefix", prefix}};
  for (auto query = first;;) {
    auto const page = TRY(calls_->send({.query = query}));
    each_element(page.body, "Upload", each);
    if (text_in(page.body, "IsTruncated") != "true") return {};
    query = first;
    query.emplace_back("key-marker", text_in(page.body, "NextKeyMarker"));
    query.emplace_back("upload-id-marker", text_in(page.body, "NextUploadIdMarker"));
  }
}

Result<> S3Blobs::look() {
  TRY(calls_->send(
      {.query = {{"list-type", "2"}, {"max-keys", "1"}, {"prefix", calls_->options().prefix}},
       .attempts = 1}));
  return {};
}

} // namespace vitrine::store::s3
