// Failures of the operator's endpoints: one line of text.
#include "api/kit/family.hpp"

namespace vitrine::api {
namespace {

net::Reply text_reply(int status, std::string_view text) {
  net::Reply reply;
  reply.status = status;
  reply.content_type = "text/plain; charset=UTF-8";
  reply.body = std::string(text) + "\n";
  return reply;
}

net::Reply refuse(Error const& failure, ErrorContext const& context) {
  return text_reply(context.status != 0 ? context.status : status_of(failure.kind()),
                    failure.detail.empty() ? text_of(failure.fault) : failure.detail);
}

net::Reply method_not_allowed(ErrorContext const&) {
  return text_reply(405, "Only GET is allowed.");
}

} // namespace

Family const ops_family{.name = "ops",
                        .refuse = refuse,
                        .method_not_allowed = method_not_allowed,
                        .head_is_get = true,
                        .trailing_slash = true};

} // namespace vitrine::api
