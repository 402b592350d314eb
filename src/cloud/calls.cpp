#include "cloud/calls.hpp"

#include "base/text.hpp"
#include "ops/log.hpp"

#include <fmt/format.h>

namespace vitrine::cloud {
namespace {

constexpr std::size_t kMessageBytes = 200;

// {"badRequest": {"code": 400, "message": "..."}}
std::string message_in(json::Object const& body) {
  for (auto const& [kind, value] : body) {
    auto const* inner = value.if_object();
    if (inner == nullptr) continue;
    auto message = text_in(*inner, "message");
    if (!message.empty()) return text::printable(message.substr(0, kMessageBytes));
  }
  return {};
}

} // namespace

Calls::Calls(CallOptions const& options, std::string_view service, std::string_view version)
    : service_(service), version_(version), client_({.ca_file = options.ca_file,
                                                     .connect_timeout = options.timeout,
                                                     .idle_timeout = options.timeout,
                                                     .total_timeout = options.timeout}) {}

Error Calls::unavailable(std::string_view detail) const {
  ops::log_warning("cloud.unavailable", {{"service", service_}, {"detail", detail}});
  return error(Fault::cloud_unavailable, fmt::format("the {} service does not answer", service_));
}

Error Calls::refused(Answer const& answer) const {
  auto const why =
      answer.message.empty() ? fmt::format("status {}", answer.status) : answer.message;
  return error(Fault::cloud_failed, fmt::format("the {} service: {}", service_, why));
}

Result<Answer> Calls::ask(Rights const& rights, Question const& question) {
  net::client::Request request{.method = question.method,
                               .url = rights.endpoint + question.path,
                               .headers = {{"Accept", "application/json"},
                                           {"OpenStack-API-Version", version_},
                                           {"X-Auth-Token", rights.token}},
                               .body = question.body};
  if (!rights.service_token.empty()) {
    request.headers.push_back({"X-Service-Token", rights.service_token});
  }
  if (!question.body.empty()) request.headers.push_back({"Content-Type", "application/json"});
  auto const came = client_.send(request);
  if (!came) return unavailable(came.error().detail);
  Answer answer{.status = came->status, .body = {}, .message = {}};
  if (answer.status >= 500 || answer.status == 429 || answer.status == 408) {
    return unavailable(fmt::format("status {}", answer.status));
  }
  if (!came->body.empty()) {
    auto parsed = json::parse(came->body);
    if (auto* object = parsed ? parsed->if_object() : nullptr) answer.body = std::move(*object);
  }
  if (answer.is_good()) return answer;
  answer.message = message_in(answer.body);
  ops::log_info("cloud.refused", {{"service", service_},
                                  {"method", question.method},
                                  {"status", answer.status},
                                  {"detail", answer.message}});
  if (answer.status == 401 || answer.status == 403 || answer.status / 100 == 3) {
    return refused(answer);
  }
  return answer;
}

json::Object const* object_in(json::Object const& object, std::string_view name) {
  auto const* value = object.if_contains(name);
  return value == nullptr ? nullptr : value->if_object();
}

json::Array const* list_in(json::Object const& object, std::string_view name) {
  auto const* value = object.if_contains(name);
  return value == nullptr ? nullptr : value->if_array();
}

std::string text_in(json::Object const& object, std::string_view name) {
  auto const* value = object.if_contains(name);
  auto const* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(json::view(*text));
}

std::int64_t number_in(json::Object const& object, std::string_view name) {
  auto const* value = object.if_contains(name);
  return value == nullptr ? 0 : json::whole_number(*value).value_or(0);
}

std::string text_in(json::Object const& object, std::string_view name, std::string_view inner) {
  auto const* found = object_in(object, name);
  return found == nullptr ? std::string() : text_in(*found, inner);
}

} // namespace vitrine::cloud
