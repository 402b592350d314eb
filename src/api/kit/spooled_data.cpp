#include "api/kit/spooled_data.hpp"

#include <fmt/format.h>
#include <utility>

namespace vitrine::api {
namespace {

constexpr int kRequestTimeout = 408;

} // namespace

Result<> SpooledData::check_time() const {
  if (!is_late()) return {};
  return error(Fault::invalid_body,
               fmt::format("The data took longer than {} seconds.", time_.count()));
}

Result<> SpooledData::accept(Block bytes) {
  TRY(check_time());
  hash_.add(bytes.bytes());
  return spool_->write(bytes.bytes());
}

Result<bool> SpooledData::go_on() {
  if (!sink_) {
    TRY(check_time());
    auto begun = request_.begin(hash_.hex());
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
  bool const late = failure.fault == Fault::invalid_body && is_late();
  return request_.refuse(failure, late ? kRequestTimeout : 0);
}

void SpooledData::abandon(Error const& failure) {
  if (sink_) sink_->abandon(failure);
}

} // namespace vitrine::api
