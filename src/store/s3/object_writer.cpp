#include "store/s3/object_writer.hpp"

#include "base/text.hpp"
#include "store/s3/xml.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <utility>

namespace vitrine::store::s3 {
namespace {

// Of any object store of this kind.
constexpr std::size_t kPartsMax = 10'000;
constexpr std::uint64_t kMebibyte = 1U << 20U;
constexpr std::string_view kChecksumHeader = "x-amz-checksum-crc32";
constexpr std::string_view kChecksumAlgorithm = "x-amz-checksum-algorithm";
constexpr std::string_view kAlgorithm = "CRC32";
constexpr std::string_view kChecksumType = "x-amz-checksum-type";
constexpr std::string_view kOfWhole = "FULL_OBJECT"; // not of the checksums of its parts
// Parts on their way at once: a store hashes and writes each by one thread, so that a single one
// is slower than the store.
constexpr std::size_t kUnderWayMax = 2;

Error dropped() { return error(Fault::unavailable, "The object store has dropped the upload."); }

} // namespace

std::size_t part_bytes_for(std::size_t usual, std::uint64_t size_bytes) {
  auto const needed = (size_bytes + kPartsMax - 1) / kPartsMax;
  if (needed <= usual) return usual;
  return (needed + kMebibyte - 1) / kMebibyte * kMebibyte;
}

Result<> drop_parts(Calls const& calls, std::string_view key, std::string_view upload,
                    int attempts) {
  auto const dropped = calls.send({.method = "DELETE",
                                   .key = key,
                                   .query = {{"uploadId", std::string(upload)}},
                                   .attempts = attempts});
  if (!dropped && dropped.error().fault != Fault::not_found) return Error(dropped.error());
  return {};
}

ObjectWriter::ObjectWriter(Calls calls, std::string key, std::size_t part_bytes, std::string mark,
                           std::function<Result<>()> last_look)
    : calls_(std::move(calls)), key_(std::move(key)), part_bytes_(part_bytes),
      mark_(std::move(mark)), last_look_(std::move(last_look)) {}

Result<> needs_no_object(Calls const& calls, std::string_view key) {
  auto const found = calls.send({.method = "HEAD", .key = key});
  if (found) return error(Fault::object_exists);
  return found.error().fault == Fault::not_found ? Result<>() : Error(found.error());
}

ObjectWriter::~ObjectWriter() {
  for (auto const& part : under_way_) {
    if (part.etag.valid()) part.etag.wait(); // not if its thread could not be started
  }
  if (completed_ || upload_.empty()) return;
  // Once: a store that is out keeps the parts until the sweeper finds them.
  [[maybe_unused]] auto const dropped = drop_parts(calls_, key_, upload_, 1);
}

Result<> ObjectWriter::write(std::span<std::byte const> bytes) {
  // A failure ends the upload now, not with the next part.
  while (!under_way_.empty() &&
         under_way_.front().etag.wait_for(std::chrono::seconds(0)) == std::future_status::ready)
    TRY(oldest_sent());
  while (!bytes.empty()) {
    if (filling_.size() == part_bytes_) TRY(start_part());
    if (filling_.empty()) filling_.reserve(part_bytes_);
    auto const part = bytes.first(std::min(bytes.size(), part_bytes_ - filling_.size()));
    filling_.append(reinterpret_cast<char const*>(part.data()), part.size());
    filling_hash_.add(part); // here, not before it is sent: the store would wait for it
    filling_checksum_.add(part);
    size_bytes_ += part.size();
    bytes = bytes.subspan(part.size());
  }
  return {};
}

Ask ObjectWriter::ask_for_upload() const {
  return {.method = "POST", .key = key_, .query = {{"uploads", ""}}, .headers = marks()};
}

/// The id of an upload whose whole the store will check; empty when it does not say that it will.
Result<std::string> ObjectWriter::begin_checked() const {
  auto ask = ask_for_upload();
  ask.headers.push_back({std::string(kChecksumAlgorithm), std::string(kAlgorithm)});
  ask.headers.push_back({std::string(kChecksumType), std::string(kOfWhole)});
  ask.may_be_refused = true;
  auto const answer = TRY(calls_.send(ask));
  auto id = text_in(answer.body, "UploadId"); // none where it is refused
  bool const checked =
      answer.header(kChecksumAlgorithm) == kAlgorithm && answer.header(kChecksumType) == kOfWhole;
  if (checked || id.empty()) return id;
  // There are stores that say nothing, and then miss the checksums of parts, each in its way.
  [[maybe_unused]] auto const dropped = drop_parts(calls_, key_, id, 1);
  return std::string();
}

Result<> ObjectWriter::begin() {
  upload_ = TRY(begin_checked());
  is_checked_ = !upload_.empty();
  if (is_checked_) return {};
  auto const answer = TRY(calls_.send(ask_for_upload()));
  upload_ = text_in(answer.body, "UploadId");
  if (!upload_.empty()) return {};
  return error(Fault::unavailable, "The object store answers what cannot be read.");
}

/// Sends what has filled, beside the filling of the next part.
Result<> ObjectWriter::start_part() {
  if (under_way_.size() == kUnderWayMax) TRY(oldest_sent());
  if (upload_.empty()) TRY(begin());
  auto const number = sent_.size() + under_way_.size() + 1;
  if (number > kPartsMax) {
    return error(Fault::too_large,
                 fmt::format("The data is larger than {} bytes.", kPartsMax * part_bytes_));
  }
  auto& part =
      under_way_.emplace_back(std::exchange(filling_, std::exchange(spare_, {})),
                              filling_hash_.take_hex(), std::exchange(filling_checksum_, {}));
  part.etag = std::async(std::launch::async, [this, &part, number] { return send(part, number); });
  return {};
}

Result<std::string> ObjectWriter::send(Part const& part, std::size_t number) const {
  std::vector<net::Header> headers;
  if (is_checked_) headers.push_back({std::string(kChecksumHeader), part.checksum.text()});
  auto const answer =
      TRY(calls_.send({.method = "PUT",
                       .key = key_,
                       .query = {{"partNumber", fmt::to_string(number)}, {"uploadId", upload_}},
                       .headers = std::move(headers),
                       .body = part.bytes,
                       .body_sha256 = part.sha256}));
  return std::string(answer.header("ETag").value_or(""));
}

/// Waits for the oldest part under way.
Result<> ObjectWriter::oldest_sent() {
  auto etag = under_way_.front().etag.get(); // until then its thread reads the part
  auto part = std::move(under_way_.front());
  under_way_.pop_front();
  spare_ = std::move(part.bytes);
  spare_.clear();
  if (etag) {
    sent_.push_back({std::move(*etag), part.checksum.text()});
    checksum_.append(part.checksum);
    return {};
  }
  if (etag.error().fault != Fault::not_found) return Error(etag.error());
  return dropped();
}

Result<> ObjectWriter::commit() {
  bool const in_parts = !upload_.empty();
  if (in_parts) {
    TRY(start_part());
    while (!under_way_.empty())
      TRY(oldest_sent());
    TRY(complete());
  } else {
    TRY(put());
  }
  // The digest in the signature of a single request covers all of the object; nothing covers what
  // the store makes of parts.
  bool const is_proven = !in_parts && mark_.empty();
  if (is_proven || is_there()) return {};
  return error(Fault::unavailable, "The object store does not have what was sent to it.");
}

std::vector<net::Header> ObjectWriter::marks() const {
  if (mark_.empty()) return {};
  return {{std::string(kMarkHeader), mark_}};
}

std::vector<net::Header> ObjectWriter::conditions() const {
  if (mark_.empty()) return {};
  return {{"If-None-Match", "*"}};
}

Result<> ObjectWriter::put() {
  auto headers = marks();
  std::ranges::copy(conditions(), std::back_inserter(headers));
  auto const sha256 = filling_hash_.take_hex();
  auto const done = calls_.send({.method = "PUT",
                                 .key = key_,
                                 .headers = std::move(headers),
                                 .body = filling_,
                                 .body_sha256 = sha256,
                                 .begin = last_look_});
  return done ? Result<>() : settle(done.error());
}

std::string ObjectWriter::listed_parts() const {
  std::string body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (std::size_t i = 0; i < sent_.size(); ++i) {
    body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag>", i + 1,
                        text::escape_html(sent_[i].etag));
    if (is_checked_) body += fmt::format("<ChecksumCRC32>{}</ChecksumCRC32>", sent_[i].checksum);
    body += "</Part>";
  }
  return body + "</CompleteMultipartUpload>";
}

Result<> ObjectWriter::complete() {
  if (!mark_.empty()) {
    auto const looked = needs_no_object(calls_, key_);
    if (!looked) return settle(looked.error());
  }
  auto headers = conditions();
  if (is_checked_) {
    headers.push_back({std::string(kChecksumType), std::string(kOfWhole)});
    headers.push_back({std::string(kChecksumHeader), checksum_.text()});
  }
  auto const body = listed_parts();
  auto const done = calls_.send({.method = "POST",
                                 .key = key_,
                                 .query = {{"uploadId", upload_}},
                                 .headers = std::move(headers),
                                 .body = body,
                                 .begin = last_look_,
                                 .proof = "CompleteMultipartUploadResult",
                                 .slow = true});
  completed_ = done.has_value();
  return done ? Result<>() : settle(done.error());
}

/// What came of a request that puts the object there: an attempt whose answer was lost may have
/// done it, and then the next one is refused.
Result<> ObjectWriter::settle(Error failure) const {
  bool const refused = failure.fault == Fault::not_found || failure.fault == Fault::object_exists;
  if (!refused) return failure;
  if (is_there()) return {};
  return failure.fault == Fault::object_exists ? std::move(failure) : dropped();
}

/// Whether the object is there, whole and with our mark.
bool ObjectWriter::is_there() const {
  auto const object = calls_.send({.method = "HEAD", .key = key_});
  if (!object) return false;
  auto const length = text::parse_int(object->header("Content-Length").value_or(""));
  return length && std::cmp_equal(*length, size_bytes_) &&
         object->header(kMarkHeader).value_or("") == mark_;
}

} // namespace vitrine::store::s3
