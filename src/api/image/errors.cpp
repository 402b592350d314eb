// How the Image API v2 tells failures: status by fault, body by `Accept` (contract: glance-v2 1.2).
#include "api/kit/family.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "net/message.hpp"

#include <fmt/format.h>
#include <string>

namespace vitrine::api {
namespace {

// What follows from the kind holds, unless a fault has a status of its own in the contract.
int status_of_failure(Error const& failure) {
  switch (failure.fault) {
  case Fault::not_image_owner:
  case Fault::public_of_others:
  case Fault::own_key_not_granted: return 403;
  case Fault::image_is_public: return 403;
  case Fault::image_not_active: return 409;
  case Fault::range_unsatisfiable: return 416;
  default: break;
  }
  return status_of(failure.kind());
}

// Clients compare some of these texts; the rest is the fault's own sentence with its detail.
std::string explanation(Error const& failure, ErrorContext const& context) {
  switch (failure.fault) {
  case Fault::image_not_found: return "No image found with ID " + failure.detail;
  case Fault::image_exists: return fmt::format("Image ID {} already exists!", failure.detail);
  case Fault::forbidden:
    // The policy names the action; everybody else says a sentence.
    if (failure.detail.ends_with('.')) return failure.detail;
    return fmt::format("You are not authorized to complete {} action.",
                       failure.detail.empty() ? context.action : failure.detail);
  case Fault::internal:
    return "The server has either erred or is incapable of performing the "
           "requested operation.";
  default: break;
  }
  return failure.detail.empty() ? std::string(text_of(failure.fault)) : failure.detail;
}

// What follows the text in Glance, in both forms that may be shown as HTML. Clients cut it off.
constexpr std::string_view kBreaks = "<br /><br />";

enum class Form : std::uint8_t { html, json, plain };

// What is named goes before what a wildcard takes; weights are not compared.
// The client that signs its requests reads JSON alone, and says that it takes anything (contract:
// clients 8).
Form form_of(net::RequestHead const* head) {
  auto const login = head == nullptr ? "" : head->header("Authorization").value_or("");
  if (login.starts_with("SDK-HMAC-SHA256")) return Form::json;
  auto const accept = text::to_lower(head == nullptr ? "" : head->header("Accept").value_or(""));
  auto const takes = [&](std::string_view range) {
    return accept.find(range) != std::string::npos;
  };
  if (takes("application/json")) return Form::json;
  if (accept.empty() || takes("*/*") || takes("text/html") || takes("text/*")) return Form::html;
  return takes("application/*") ? Form::json : Form::plain;
}

net::Reply render(int status, std::string const& text, ErrorContext const& context) {
  net::Reply reply;
  reply.status = status;
  auto const phrase = net::reason_phrase(status);
  auto const title = fmt::format("{} {}", status, phrase);
  auto const form = form_of(context.head);
  if (form == Form::json) {
    reply.content_type = "application/json; charset=UTF-8";
    json::Writer writer(reply.body);
    writer.begin_object();
    writer.field("message", fmt::format("{}{}\n\n\n", text::escape_html(text), kBreaks));
    writer.field("code", title).field("title", phrase).end_object();
  } else if (form == Form::html) {
    reply.content_type = "text/html; charset=UTF-8";
    reply.body = fmt::format("<html>\n <head>\n  <title>{0}</title>\n </head>\n <body>\n  "
                             "<h1>{0}</h1>\n  {1}{2}\n </body>\n</html>\n",
                             title, text::escape_html(text), kBreaks);
  } else {
    reply.content_type = "text/plain; charset=UTF-8";
    reply.body = fmt::format("{}\n\n{}\n", title, text);
  }
  if (status == 401) {
    reply.headers.push_back(
        {"WWW-Authenticate", fmt::format("Keystone uri=\"{}\"", context.auth_url)});
  }
  return reply;
}

net::Reply refuse(Error const& failure, ErrorContext const& context) {
  int const status = context.status != 0 ? context.status : status_of_failure(failure);
  // A refused header may be quoted, and its bytes may be anything.
  auto reply = render(status, text::to_utf8(explanation(failure, context)), context);
  if (failure.fault == Fault::media_type && context.head != nullptr &&
      context.head->method == "PATCH") {
    reply.headers.push_back({"Accept-Patch", "application/openstack-images-v2.1-json-patch, "
                                             "application/openstack-images-v2.0-json-patch"});
  }
  return reply;
}

net::Reply method_not_allowed(ErrorContext const& context) {
  return render(405, "The method is not allowed for this resource.", context);
}

} // namespace

Family const image_family{.name = "image",
                          .refuse = refuse,
                          .method_not_allowed = method_not_allowed,
                          .refuses_needless_body = true};

} // namespace vitrine::api
