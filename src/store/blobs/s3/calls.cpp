#include "store/blobs/s3/calls.hpp"

#include "base/text.hpp"
#include "ops/log.hpp"
#include "store/blobs/s3/xml.hpp"

#include <fmt/format.h>
#include <thread>

namespace vitrine::store::s3 {
namespace {

constexpr std::size_t kListBytesMax = 8U << 20U; // a page of 1000 entries with long keys
constexpr std::chrono::seconds kPatience{300};
constexpr int kPauseGrowth = 4;

// As the HTTP client writes it: the port only where it is not that of the scheme.
std::string host_of(std::string_view endpoint) {
  bool const tls = endpoint.starts_with("https:");
  auto host = endpoint.substr(endpoint.find("://") + 3);
  host = host.substr(0, host.find('/'));
  std::string_view const usual = tls ? ":443" : ":80";
  if (host.ends_with(usual)) host.remove_suffix(usual.size());
  return std::string(host);
}

std::string path_in(std::string_view endpoint) {
  auto const slash = endpoint.find('/', endpoint.find("://") + 3);
  return slash == std::string_view::npos ? "" : std::string(endpoint.substr(slash));
}

// Of a 5xx only 507 lasts: the store is full.
bool may_pass(int status) {
  return (status >= 500 && status != 507) || status == 429 || status == 408;
}

Error failed(Ask const& ask, std::string_view detail) {
  ops::log_warning("store.failed", {{"method", ask.method}, {"detail", detail}});
  return error(Fault::unavailable, "The image store does not answer.");
}

/// What an answer that is no success means.
Error refusal(Ask const& ask, net::client::Response const& answer) {
  auto code = text_in(answer.body, "Code"); // none in the answer to HEAD
  if (answer.status == 404 && !ask.key.empty() && code != "NoSuchBucket") {
    return error(Fault::not_found, std::move(code));
  }
  if (answer.status == 507 || code == "QuotaExceeded" || code.ends_with("StorageFull")) {
    return error(Fault::store_full, "The image store is full.");
  }
  return failed(ask, fmt::format("the store answers {} {}", answer.status, code));
}

} // namespace

Calls::Calls(Options options, Clock const& clock)
    : options_(std::move(options)), clock_(clock), host_(host_of(options_.endpoint)),
      client_({.ca_file = options_.ca_file,
               .connect_timeout = options_.timeout,
               .idle_timeout = options_.timeout}),
      patient_({.ca_file = options_.ca_file,
                .connect_timeout = options_.timeout,
                .idle_timeout = kPatience}) {}

Result<std::unique_ptr<Calls>> Calls::open(Options options, Clock const& clock) {
  std::unique_ptr<Calls> calls(new Calls(std::move(options), clock));
  calls->account_ = TRY(Account::open(calls->options_));
  return calls;
}

std::vector<net::Header> Calls::signed_headers(Ask const& ask, std::string const& path,
                                               Credentials const& credentials) const {
  auto const now = clock_.now();
  ToSign request{.method = std::string(ask.method),
                 .path = path,
                 .query = ask.query,
                 .headers = ask.headers,
                 .payload_sha256 = sha256_hex(ask.body)};
  request.headers.push_back({"x-amz-content-sha256", request.payload_sha256});
  request.headers.push_back({"x-amz-date", format_date(now)});
  auto sent = request.headers;
  request.headers.push_back({"host", host_}); // sent by the client itself
  sent.push_back({"Authorization", authorization(request, credentials, options_.region, now)});
  return sent;
}

Result<net::client::Response> Calls::attempt(Ask const& ask, Credentials const& credentials) {
  auto path = path_in(options_.endpoint) + encode_path("/" + options_.bucket);
  if (!ask.key.empty()) path += encode_path("/" + options_.prefix + std::string(ask.key));
  auto const query = encode_query(ask.query);
  auto const origin =
      options_.endpoint.substr(0, options_.endpoint.size() - path_in(options_.endpoint).size());
  if (ask.begin) ask.begin();
  net::client::Request const request{.method = std::string(ask.method),
                                     .url = origin + path + (query.empty() ? "" : "?" + query),
                                     .headers = signed_headers(ask, path, credentials),
                                     .body = ask.body,
                                     .download = ask.download,
                                     .response_bytes_max = kListBytesMax};
  return (ask.slow ? patient_ : client_).send(request);
}

Result<net::client::Response> Calls::send(Ask const& ask) {
  auto pause = options_.pause;
  bool renewed = false;
  for (int left = ask.attempts;;) {
    auto const credentials = account_->credentials();
    auto answer = attempt(ask, credentials);
    if (answer && answer->status < 300) {
      // Some answers begin before the work is done and tell of a failure in their body.
      auto const late = answer->body.find("<Error>") != std::string::npos;
      if (!late) return answer;
      answer->status = 500;
    }
    if (answer && answer->status == 403 && !renewed && account_->renew(credentials)) {
      renewed = true;
      continue;
    }
    bool const again = --left > 0 && (answer ? may_pass(answer->status)
                                             : answer.error().fault == Fault::unavailable);
    if (!again) return answer ? refusal(ask, *answer) : failed(ask, answer.error().detail);
    std::this_thread::sleep_for(pause);
    pause *= kPauseGrowth;
  }
}

} // namespace vitrine::store::s3
