#include "api/kit/spooled_data.hpp"

#include "ops/log.hpp"

#include <fmt/format.h>
#include <utility>

namespace vitrine::api {
namespace {

constexpr int kRequestTimeout = 408;

} // namespace

Result<std::chrono::steady_clock::duration> SpooledData::time_left() const {
  auto const left = came_ + time_ - std::chrono::steady_clock::now();
  if (left > left.zero()) return left;
  return error(Fault::invalid_body,
               fmt::format("The data took longer than {} seconds.", time_.count()));
}

Result<> SpooledData::accept(Block bytes) {
  hash_.add(bytes.bytes());
  return spool_->write(bytes.bytes());
}

Result<bool> SpooledData::go_on() {
  if (!sink_) {
    TRY(time_left());
    auto begun = request_.begin(hash_.take_hex());
    if (auto* refused = std::get_if<net::Reply>(&begun)) {
      answer_ = std::move(*refused);
      return false;
    }
    sink_ = std::get<1>(std::move(begun));
    return true;
  }
  auto block = sink_->block();
  auto const count = TRY(spool_->read(block.room()));
  if (count == 0) return false;
  block.extend(count);
  TRY(sink_->accept(std::move(block)));
  return true;
}

net::Reply SpooledData::finish() { return sink_ ? sink_->finish() : std::move(*answer_); }

net::Reply SpooledData::refuse(Error const& failure) {
  if (sink_) return sink_->refuse(failure);
  tell_of_end(failure);
  bool const late = failure.fault == Fault::invalid_body && !time_left();
  return request_.refuse(failure, late ? kRequestTimeout : 0);
}

void SpooledData::abandon(Error const& failure) {
  if (sink_) return sink_->abandon(failure);
  tell_of_end(failure);
}

/// Nobody else does: before its sender is known it counts as no upload.
void SpooledData::tell_of_end(Error const& failure) const {
  ops::LogRequestScope const scope(request_.id);
  ops::log_info("spool.given_up", {{"holder", spool_->holder().text()},
                                   {"size_bytes", spool_->size_bytes()},
                                   {"detail", failure.detail}});
}

} // namespace vitrine::api
