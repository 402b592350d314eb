#include "store/buckets/s3/s3_buckets.hpp"

#include "base/text.hpp"
#include "ops/log.hpp"
#include "store/buckets/s3/s3_object.hpp"
#include "store/s3/object_writer.hpp"
#include "store/s3/xml.hpp"

#include <ctime>
#include <fmt/format.h>

namespace vitrine::store::s3 {
namespace {

constexpr std::string_view kRegionHeader = "x-amz-bucket-region";

Error logged(Fault fault, Ask const& ask, std::string_view detail) {
  ops::log_warning("bucket.failed", {{"method", ask.method}, {"detail", detail}});
  return error(fault);
}

/// What a request that failed means. `not_found` is for an object; why is logged, never told.
Error meaning(Ask const& ask, Result<net::client::Response> const& answer) {
  if (!answer) return logged(Fault::bucket_unavailable, ask, answer.error().detail);
  auto const code = text_in(answer->body, "Code"); // none in the answer to HEAD
  auto const detail = fmt::format("the store answers {} {}", answer->status, code);
  switch (answer->status) {
  case 301:
  case 307: return logged(Fault::bucket_elsewhere, ask, detail);
  case 400: {
    // An answer to HEAD has no code; one that names the region of the bucket is about that.
    bool const elsewhere =
        code == "AuthorizationHeaderMalformed" || answer->header(kRegionHeader).has_value();
    return logged(elsewhere ? Fault::bucket_elsewhere : Fault::bucket_refused, ask, detail);
  }
  case 404:
    if (!ask.key.empty() && code != "NoSuchBucket") return error(Fault::not_found, code);
    return error(Fault::bucket_refused);
  case 412:
    if (ask.method != "GET") return error(Fault::object_exists);
    return error(Fault::object_unreadable, "The object was changed while it was read.");
  case 507: return logged(Fault::store_full, ask, detail);
  default: break;
  }
  if (code == "QuotaExceeded" || code.ends_with("StorageFull")) {
    return logged(Fault::store_full, ask, detail);
  }
  // Our clock is wrong, not what is asked for: the next server may do it.
  if (code == "RequestTimeTooSkewed") return logged(Fault::bucket_unavailable, ask, detail);
  bool const refused = answer->status < 500 && answer->status != 429 && answer->status != 408;
  return logged(refused ? Fault::bucket_refused : Fault::bucket_unavailable, ask, detail);
}

/// The form of Last-Modified, such as `Fri, 24 May 2013 00:00:00 GMT`.
std::optional<Time> parse_http_date(std::string const& text) {
  std::tm parts{};
  if (::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts) == nullptr) return std::nullopt;
  return Time{::timegm(&parts) * kMicrosecondsPerSecond};
}

Result<ObjectInfo> info_in(net::client::Response const& head) {
  auto const length = text::parse_int(head.header("Content-Length").value_or(""));
  auto const etag = head.header("ETag").value_or("");
  if (!length || *length < 0) return error(Fault::bucket_unavailable);
  auto const storage_class = head.header("x-amz-storage-class").value_or("STANDARD");
  if (storage_class != "STANDARD") {
    return error(Fault::object_unreadable,
                 fmt::format("The object is in the storage class {}, not STANDARD.",
                             text::printable(storage_class)));
  }
  if (*length == 0) return error(Fault::object_unreadable, "The object is empty.");
  if (etag.empty()) { // without it bytes of two objects could be mixed
    return error(Fault::object_unreadable, "The object store tells no ETag of the object.");
  }
  auto const changed_at = std::string(head.header("Last-Modified").value_or(""));
  return ObjectInfo{.size_bytes = static_cast<std::uint64_t>(*length),
                    .etag = std::string(etag),
                    .changed_at = parse_http_date(changed_at),
                    .mark = std::string(head.header(kMarkHeader).value_or(""))};
}

} // namespace

S3Buckets::S3Buckets(BucketsOptions options, model::ObjectStoreKeys* own)
    : options_(std::move(options)), own_(own), server_(options_.server, clock_) {}

Result<std::shared_ptr<Account>> S3Buckets::configured_account() {
  std::lock_guard const lock(mutex_);
  if (configured_) return configured_;
  auto opened = Account::open(*options_.keys);
  if (!opened) {
    ops::log_error("bucket.no_keys", {{"detail", opened.error().detail}});
    return error(Fault::bucket_unavailable);
  }
  configured_ = std::move(*opened);
  return configured_;
}

Result<std::shared_ptr<Account>> S3Buckets::account_for(BucketUser const& user,
                                                        std::string const& bucket) {
  if (own_ != nullptr) {
    auto key = TRY(own_->object_store_key_of(user.user, user.project));
    if (key) {
      return Account::open(
          {.access_key = std::move(key->access), .secret_key = std::move(key->secret)});
    }
  }
  bool const allowed = options_.allowed.contains({user.project, bucket});
  if (options_.keys && allowed) return configured_account();
  if (own_ == nullptr) return error(Fault::bucket_refused);
  return error(Fault::no_access_key, "The user has no EC2 credential for the project.");
}

Result<Calls> S3Buckets::calls_for(BucketUser const& user, std::string const& bucket) {
  auto account = TRY(account_for(user, bucket));
  Calls calls(server_, {bucket}, std::move(account), meaning);
  TRY(check_region(calls));
  return calls;
}

/// Finds out whether the bucket is there, may be reached and is where requests are signed for. A
/// store that does not tell where it is has one place only.
Result<> S3Buckets::check_region(Calls const& calls) const {
  auto const head = calls.send({.method = "HEAD"});
  if (!head && head.error().fault != Fault::bucket_refused) return Error(head.error());
  auto region = head ? std::string(head->header(kRegionHeader).value_or("")) : "";
  if (region.empty()) {
    // The answer to HEAD has no body that told why. Asking for the place is a right of its own,
    // which nobody needs to read an object: being refused says nothing, and after a HEAD that went
    // well nothing does but that it is elsewhere.
    auto const place = calls.send({.query = {{"location", ""}}});
    if (place) region = text_in(place->body, "LocationConstraint");
    auto const told = place ? Fault::bucket_refused : place.error().fault;
    bool const tells = head ? told == Fault::bucket_elsewhere : told != Fault::bucket_refused;
    if (tells) return Error(place.error());
  }
  if (!head) return Error(head.error());
  if (region.empty() || region == options_.server.region) return {};
  return error(Fault::bucket_elsewhere,
               fmt::format("The bucket is in the region {}.", text::printable(region)));
}

Result<std::unique_ptr<BucketObject>> S3Buckets::open(BucketUser const& user,
                                                      model::ObjectUrl const& url) {
  auto calls = TRY(calls_for(user, url.bucket));
  auto const head = calls.send({.method = "HEAD", .key = url.object});
  if (!head && head.error().fault == Fault::not_found) {
    return error(Fault::object_unreadable, "The object does not exist.");
  }
  if (!head) return Error(head.error());
  auto info = TRY(info_in(*head));
  return std::make_unique<S3Object>(std::move(calls), url.object, std::move(info));
}

Result<std::unique_ptr<BytesWriter>>
S3Buckets::create(BucketUser const& user, model::ObjectUrl const& url, NewObject object) {
  auto calls = TRY(calls_for(user, url.bucket));
  TRY(needs_no_object(calls, url.object));
  auto const part_bytes = part_bytes_for(options_.part_bytes, object.size_bytes_max.value_or(0));
  return std::make_unique<ObjectWriter>(std::move(calls), url.object, part_bytes,
                                        std::move(object.mark), std::move(object.last_look));
}

Result<> S3Buckets::remove_unfinished(BucketUser const& user, model::ObjectUrl const& url,
                                      Time since) {
  auto const calls = TRY(calls_for(user, url.bucket));
  std::vector<std::string> uploads;
  TRY(list_uploads(calls, url.object, [&](std::string_view upload) {
    auto const begun = parse_time(text_in(upload, "Initiated"));
    if (text_in(upload, "Key") != url.object || !begun || *begun < since + -kClocksApartUs) return;
    uploads.push_back(text_in(upload, "UploadId"));
  }));
  for (auto const& upload : uploads)
    TRY(drop_parts(calls, url.object, upload, 3));
  return {};
}

} // namespace vitrine::store::s3
