#include "identity/keystone/calls.hpp"

#include "identity/keystone/document.hpp"
#include "ops/log.hpp"

#include <chrono>

namespace vitrine::identity::keystone {
namespace {

constexpr std::string_view kStranger = "what answers is no Keystone";

Error failed(std::string_view detail) {
  ops::log_warning("identity.keystone_failed", {{"detail", detail}});
  return error(Fault::identity_unavailable);
}

// Else it comes from what stands before Keystone, such as a proxy that has lost its way.
bool is_of_keystone(net::client::Response const& refusal) {
  return Document::of(refusal.body, "error").has_value();
}

Error refused(int status) {
  if (status == 403) return failed("the service's user may not ask; give it the role service");
  return failed("Keystone answers " + std::to_string(status));
}

} // namespace

Calls::Calls(Options const& options, Clock const& clock, ops::Metrics& metrics)
    : options_(options), metrics_(metrics), client_({.ca_file = options.ca_file,
                                                     .connect_timeout = options.timeout,
                                                     .idle_timeout = options.timeout,
                                                     .total_timeout = options.timeout,
                                                     .idle_connections_max = 32}),
      login_(options, clock, client_) {}

Result<net::client::Response> Calls::send(net::client::Request& request, std::string const& token) {
  request.headers.push_back({"X-Auth-Token", token});
  auto const began = std::chrono::steady_clock::now();
  auto answer = client_.send(request);
  std::chrono::duration<double> const took = std::chrono::steady_clock::now() - began;
  request.headers.pop_back();
  metrics_.histogram(ops::Metric::keystone_seconds, {answer ? "answered" : "failed"})
      .observe(took.count());
  if (!answer) return failed(answer.error().detail);
  return answer;
}

Result<net::client::Response> Calls::ask(net::client::Request request) {
  request.headers.push_back({"Accept", "application/json"});
  auto token = TRY(login_.token());
  auto answer = TRY(send(request, token));
  if (answer.status != 401) return answer;
  // Our own token: it was revoked, or Keystone changed its keys.
  login_.refused(token);
  token = TRY(login_.token());
  return send(request, token);
}

Result<net::client::Response> Calls::get(std::string_view path, std::string_view subject) {
  net::client::Request request{.url = options_.auth_url + std::string(path)};
  if (!subject.empty()) request.headers.push_back({"X-Subject-Token", std::string(subject)});
  auto answer = TRY(ask(std::move(request)));
  if (answer.status == 200) return answer;
  if (answer.status != 400 && answer.status != 404) return refused(answer.status);
  if (!is_of_keystone(answer)) return failed(kStranger);
  answer.status = 404;
  return answer;
}

Result<net::client::Response> Calls::post(std::string_view path, std::string_view body) {
  auto answer = TRY(ask({.method = "POST",
                         .url = options_.auth_url + std::string(path),
                         .headers = {{"Content-Type", "application/json"}},
                         .body = body}));
  if (answer.status == 200) return answer;
  if (answer.status != 401) return refused(answer.status);
  if (!is_of_keystone(answer)) return failed(kStranger);
  return answer;
}

} // namespace vitrine::identity::keystone
