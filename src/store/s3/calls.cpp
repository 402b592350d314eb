#include "store/s3/calls.hpp"

#include "store/s3/xml.hpp"

#include <thread>

namespace vitrine::store::s3 {
namespace {

constexpr int kPauseGrowth = 4;

// Of a 5xx only 507 lasts: the store is full.
bool may_pass(int status) {
  return (status >= 500 && status != 507) || status == 429 || status == 408;
}

// Some answers begin before the work is done: what came of it stands in their body.
bool tells_success(Ask const& ask, net::client::Response const& answer) {
  if (!ask.proof.empty()) return has_element(answer.body, ask.proof);
  return !has_element(answer.body, "Error");
}

bool is_ignorance(int status) { return status == 400 || status == 405 || status == 501; }

bool was_damaged(net::client::Response const& answer) {
  if (answer.status != 400) return false;
  auto const code = text_in(answer.body, "Code");
  return code == "BadDigest" || code == "XAmzContentSHA256Mismatch";
}

} // namespace

std::chrono::milliseconds longer(std::chrono::milliseconds pause) { return pause * kPauseGrowth; }

Result<net::client::Response> Calls::send(Ask const& ask) const {
  auto pause = options().pause;
  bool renewed = false;
  for (int left = ask.attempts;;) {
    if (ask.begin) TRY(ask.begin());
    auto const credentials = account_->credentials();
    auto answer = server_->send(ask, place_, credentials);
    if (answer && answer->status < 300) {
      if (tells_success(ask, *answer)) return answer;
      answer->status = 500;
    }
    if (answer && ask.may_be_refused && is_ignorance(answer->status)) return answer;
    if (answer && was_damaged(*answer)) answer->status = 500; // on the way, or by the store
    if (answer && answer->status == 403 && !renewed && account_->renew(credentials)) {
      renewed = true;
      continue;
    }
    bool const again = --left > 0 && (answer ? may_pass(answer->status)
                                             : answer.error().fault == Fault::unavailable);
    if (!again) return meaning_(ask, answer);
    std::this_thread::sleep_for(pause);
    pause = longer(pause);
  }
}

Result<> list_uploads(Calls const& calls, std::string const& key,
                      std::function<void(std::string_view upload)> const& each) {
  Query const first{{"uploads", ""}, {"prefix", calls.prefix() + key}};
  for (auto query = first;;) {
    auto const page = TRY(calls.send({.query = query}));
    each_element(page.body, "Upload", each);
    if (text_in(page.body, "IsTruncated") != "true") return {};
    query = first;
    query.emplace_back("key-marker", text_in(page.body, "NextKeyMarker"));
    query.emplace_back("upload-id-marker", text_in(page.body, "NextUploadIdMarker"));
  }
}

} // namespace vitrine::store::s3
