#include "store/blobs/s3/object_writer.hpp"

#include "base/text.hpp"
#include "store/blobs/s3/xml.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace vitrine::store::s3 {
namespace {

// Of any object store of this kind.
constexpr std::size_t kPartsMax = 10'000;

} // namespace

Result<std::string> begin_parts(Calls& calls, std::string_view key) {
  auto const answer = TRY(calls.send({.method = "POST", .key = key, .query = {{"uploads", ""}}}));
  auto upload = text_in(answer.body, "UploadId");
  if (!upload.empty()) return upload;
  return error(Fault::unavailable, "The image store answers what cannot be read.");
}

Result<> drop_parts(Calls& calls, std::string_view key, std::string_view upload, int attempts) {
  auto const dropped = calls.send({.method = "DELETE",
                                   .key = key,
                                   .query = {{"uploadId", std::string(upload)}},
                                   .attempts = attempts});
  if (!dropped && dropped.error().fault != Fault::not_found) return Error(dropped.error());
  return {};
}

ObjectWriter::~ObjectWriter() {
  if (under_way_.valid()) under_way_.wait();
  if (committed_ || upload_.empty()) return;
  // Once: a store that is out keeps the parts until the sweeper finds them.
  [[maybe_unused]] auto const dropped = drop_parts(calls_, key_, upload_, 1);
}

Result<> ObjectWriter::write(std::span<std::byte const> bytes) {
  bool const over = under_way_.valid() &&
                    under_way_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  if (over) TRY(sent()); // a failure ends the upload now, not with the next part
  while (!bytes.empty()) {
    if (filling_.size() == part_bytes_) TRY(start_part());
    if (filling_.empty()) filling_.reserve(part_bytes_);
    auto const part = bytes.first(std::min(bytes.size(), part_bytes_ - filling_.size()));
    filling_.append(reinterpret_cast<char const*>(part.data()), part.size());
    size_bytes_ += part.size();
    bytes = bytes.subspan(part.size());
  }
  return {};
}

/// Sends what has filled, beside the filling of the next part.
Result<> ObjectWriter::start_part() {
  TRY(sent());
  if (upload_.empty()) upload_ = TRY(begin_parts(calls_, key_));
  if (etags_.size() == kPartsMax) {
    return error(Fault::too_large,
                 fmt::format("The data is larger than {} bytes.", kPartsMax * part_bytes_));
  }
  std::swap(filling_, sending_);
  filling_.clear();
  under_way_ = std::async(std::launch::async,
                          [this, number = etags_.size() + 1] { return send_part(number); });
  return {};
}

Result<std::string> ObjectWriter::send_part(std::size_t number) const {
  auto const answer =
      TRY(calls_.send({.method = "PUT",
                       .key = key_,
                       .query = {{"partNumber", fmt::to_string(number)}, {"uploadId", upload_}},
                       .body = sending_}));
  return std::string(answer.header("ETag").value_or(""));
}

/// Waits for the part under way.
Result<> ObjectWriter::sent() {
  if (!under_way_.valid()) return {};
  auto etag = under_way_.get();
  if (etag) {
    etags_.push_back(std::move(*etag));
    return {};
  }
  if (etag.error().fault != Fault::not_found) return Error(etag.error());
  return error(Fault::unavailable, "The image store has dropped the upload.");
}

Result<> ObjectWriter::commit() {
  if (upload_.empty() && !under_way_.valid()) {
    TRY(calls_.send({.method = "PUT", .key = key_, .body = filling_}));
  } else {
    TRY(start_part());
    TRY(sent());
    TRY(complete());
  }
  committed_ = true;
  return {};
}

Result<> ObjectWriter::complete() {
  std::string body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (std::size_t i = 0; i < etags_.size(); ++i) {
    body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", i + 1,
                        text::escape_html(etags_[i]));
  }
  body += "</CompleteMultipartUpload>";
  auto const done = calls_.send({.method = "POST",
                                 .key = key_,
                                 .query = {{"uploadId", upload_}},
                                 .body = body,
                                 .slow = true});
  if (done) return {};
  if (done.error().fault != Fault::not_found) return Error(done.error());
  // An attempt whose answer was lost may have done it; then the object is there, and whole.
  auto const object = calls_.send({.method = "HEAD", .key = key_});
  auto const length =
      object ? text::parse_int(object->header("Content-Length").value_or("")) : std::nullopt;
  if (length && std::cmp_equal(*length, size_bytes_)) return {};
  return error(Fault::unavailable, "The image store has dropped the upload.");
}

} // namespace vitrine::store::s3
