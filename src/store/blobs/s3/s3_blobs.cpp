#include "store/blobs/s3/s3_blobs.hpp"

#include "base/text.hpp"
#include "ops/log.hpp"
#include "store/s3/object_writer.hpp"
#include "store/s3/ranges.hpp"
#include "store/s3/xml.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace vitrine::store::s3 {
namespace {

// A read costs a round trip and, while the client takes the bytes, this much memory.
constexpr std::size_t kReadBytes = 4U << 20U;

Error failed(Ask const& ask, std::string_view detail) {
  ops::log_warning("store.failed", {{"method", ask.method}, {"detail", detail}});
  return error(Fault::unavailable, "The image store does not answer.");
}

/// What a request that failed means; why is logged, callers learn what is the case for them.
Error meaning(Ask const& ask, Result<net::client::Response> const& answer) {
  if (!answer) return failed(ask, answer.error().detail);
  auto code = text_in(answer->body, "Code"); // none in the answer to HEAD
  if (answer->status == 404 && !ask.key.empty() && code != "NoSuchBucket") {
    return error(Fault::not_found, std::move(code));
  }
  if (answer->status == 507 || code == "QuotaExceeded" || code.ends_with("StorageFull")) {
    return error(Fault::store_full, "The image store is full.");
  }
  return failed(ask, fmt::format("the store answers {} {}", answer->status, code));
}

class ObjectBytes final : public StoredBytes {
public:
  ObjectBytes(Calls const& calls, std::string key, std::uint64_t size_bytes)
      : calls_(calls), key_(std::move(key)), size_bytes_(size_bytes) {}

  [[nodiscard]] std::uint64_t size_bytes() const noexcept override { return size_bytes_; }
  [[nodiscard]] std::size_t read_bytes_best() const noexcept override { return kReadBytes; }

  Result<> read(std::uint64_t offset, std::span<std::byte> into) override {
    return read_range(calls_, key_, {}, offset, into);
  }

private:
  Calls const& calls_;
  std::string const key_;
  std::uint64_t const size_bytes_;
};

Error unreadable() {
  return error(Fault::unavailable, "The image store answers what cannot be read.");
}

/// The answer to HEAD does not tell whether it is the object, the bucket or the store that is not
/// there. Error: `unavailable` unless it is the object.
Result<> believe_missing(Calls const& calls, BlobId const& id) {
  auto const answer =
      calls.send({.method = "GET", .key = id.text, .headers = {{"Range", "bytes=0-0"}}});
  if (!answer && answer.error().fault != Fault::not_found) return Error(answer.error());
  if (!answer && answer.error().detail == "NoSuchKey") return {};
  return unreadable();
}

} // namespace

S3Blobs::S3Blobs(Options options, std::shared_ptr<Account> account)
    : part_bytes_(options.part_bytes), server_(std::move(options.server), clock_),
      calls_(server_, {std::move(options.bucket), std::move(options.prefix)}, std::move(account),
             meaning) {}

Result<std::unique_ptr<S3Blobs>> S3Blobs::open(Options options) {
  auto account = TRY(Account::open(options.keys));
  return std::unique_ptr<S3Blobs>(new S3Blobs(std::move(options), std::move(account)));
}

Result<std::unique_ptr<BlobWriter>> S3Blobs::create(BlobId const& id,
                                                    std::optional<std::uint64_t> size_bytes) {
  return std::make_unique<ObjectWriter>(calls_, id.text,
                                        part_bytes_for(part_bytes_, size_bytes.value_or(0)));
}

Result<std::unique_ptr<StoredBytes>> S3Blobs::open(BlobId const& id) {
  auto const answer = calls_.send({.method = "HEAD", .key = id.text});
  if (!answer && answer.error().fault == Fault::not_found) {
    TRY(believe_missing(calls_, id));
    return error(Fault::not_found, "the data is missing in the image store");
  }
  if (!answer) return Error(answer.error());
  auto const length = text::parse_int(answer->header("Content-Length").value_or(""));
  if (!length || *length < 0) return unreadable();
  return std::make_unique<ObjectBytes>(calls_, id.text, static_cast<std::uint64_t>(*length));
}

Result<> S3Blobs::remove(BlobId const& id) {
  auto const removed = calls_.send({.method = "DELETE", .key = id.text});
  if (!removed && removed.error().fault != Fault::not_found) return Error(removed.error());
  std::vector<std::string> uploads;
  TRY(list_uploads(calls_, id.text, [&](std::string_view upload) {
    uploads.push_back(text_in(upload, "UploadId"));
  }));
  for (auto const& upload : uploads)
    TRY(drop_parts(calls_, id.text, upload, 3));
  return {};
}

Result<> S3Blobs::list(std::function<void(StoredBlob const&)> const& each) {
  TRY(list_objects(each));
  return list_uploads(calls_, {}, [&](std::string_view upload) {
    if (auto const blob = blob_of(upload, "Initiated", false)) each(*blob);
  });
}

/// What an entry of a list tells of; nothing when the key is none of ours.
std::optional<StoredBlob> S3Blobs::blob_of(std::string_view entry, std::string_view time,
                                           bool committed) const {
  auto key = text_in(entry, "Key");
  auto const& prefix = calls_.prefix();
  if (!key.starts_with(prefix)) return std::nullopt;
  StoredBlob blob{.id = {key.substr(prefix.size())}, .changed_at = {}, .committed = committed};
  auto const changed = parse_time(text_in(entry, time));
  if (!is_job_id(blob.id.text) || !changed) return std::nullopt; // ids of blobs have that form, too
  blob.size_bytes = static_cast<std::uint64_t>(text::parse_int(text_in(entry, "Size")).value_or(0));
  blob.changed_at = *changed;
  return blob;
}

Result<> S3Blobs::list_objects(std::function<void(StoredBlob const&)> const& each) {
  Query const first{{"list-type", "2"}, {"prefix", calls_.prefix()}};
  for (auto query = first;;) {
    auto const page = TRY(calls_.send({.query = query}));
    each_element(page.body, "Contents", [&](std::string_view entry) {
      if (auto const blob = blob_of(entry, "LastModified", true)) each(*blob);
    });
    if (text_in(page.body, "IsTruncated") != "true") return {};
    query = first;
    query.emplace_back("continuation-token", text_in(page.body, "NextContinuationToken"));
  }
}

Result<std::optional<std::string>> S3Blobs::mark() {
  auto const answer = calls_.send({.key = kName, .attempts = 1});
  if (answer) return std::optional(answer->body);
  if (answer.error().fault != Fault::not_found) return Error(answer.error());
  // Only the object itself may be missing.
  if (answer.error().detail == "NoSuchKey") return std::optional<std::string>();
  return unreadable();
}

Result<> S3Blobs::set_mark(std::string_view text) {
  TRY(calls_.send({.method = "PUT", .key = kName, .body = text}));
  return {};
}

Result<> S3Blobs::look() {
  TRY(calls_.send({.query = {{"list-type", "2"}, {"max-keys", "1"}, {"prefix", calls_.prefix()}},
                   .attempts = 1}));
  return {};
}

} // namespace vitrine::store::s3
