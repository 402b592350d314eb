// How the identity API tells failures: {"error":{"code","title","message"}}, as Keystone does.
#include "api/kit/family.hpp"
#include "base/json.hpp"
#include "net/message.hpp"

#include <fmt/format.h>
#include <string>

namespace vitrine::api {
namespace {

std::string message_of(Error const& failure, ErrorContext const& context) {
  // The policy names the action; everybody else says a sentence.
  if (failure.fault == Fault::forbidden && !failure.detail.ends_with('.')) {
    return fmt::format("You are not authorized to perform the requested action: {}.",
                       failure.detail.empty() ? context.action : failure.detail);
  }
  std::string text = failure.detail.empty() ? std::string(text_of(failure.fault)) : failure.detail;
  if (failure.field.empty() || text.find(failure.field) != std::string::npos) return text;
  return fmt::format("{}: {}", failure.field, text);
}

net::Reply render(int status, std::string_view message, ErrorContext const& context) {
  net::Reply reply;
  reply.status = status;
  reply.content_type = "application/json";
  json::Writer writer(reply.body);
  writer.begin_object().key("error").begin_object();
  writer.field("code", status).field("message", message).field("title", net::reason_phrase(status));
  writer.end_object().end_object();
  reply.headers.push_back({"Vary", "X-Auth-Token"});
  if (status == 401) {
    reply.headers.push_back(
        {"WWW-Authenticate", fmt::format("Keystone uri=\"{}\"", context.auth_url)});
  }
  return reply;
}

net::Reply refuse(Error const& failure, ErrorContext const& context) {
  int const status = context.status != 0 ? context.status : status_of(failure.kind());
  return render(status, message_of(failure, context), context);
}

net::Reply method_not_allowed(ErrorContext const& context) {
  return render(405, "The method is not allowed for the requested URL.", context);
}

} // namespace

Family const identity_family{.name = "identity",
                             .refuse = refuse,
                             .method_not_allowed = method_not_allowed,
                             .head_is_get = true,
                             .trailing_slash = true};

} // namespace vitrine::api
