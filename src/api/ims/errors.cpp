// How the image management extension tells failures: a code, its message, a status
// (contract: ims-api 2.4).
#include "api/ims/error_catalogue.hpp"
#include "api/ims/path.hpp"
#include "api/kit/family.hpp"
#include "base/json.hpp"

#include <fmt/format.h>
#include <string>

namespace vitrine::api {
namespace {

// The code of a path that leads nowhere tells what the client looked for.
ims::CatalogueEntry const& entry_of(Error const& failure, ErrorContext const& context) {
  bool const of_jobs =
      context.head != nullptr && (context.head->target.find("/jobs/") != std::string::npos ||
                                  context.head->target.find("/job/") != std::string::npos);
  if (failure.fault == Fault::not_found && of_jobs) return ims::entry(Fault::job_not_found);
  return ims::entry(failure.fault);
}

// A failure of the server is none of the request, whatever its code.
int status_of(Error const& failure, ims::CatalogueEntry const& entry) {
  if (failure.fault == Fault::identity_unavailable || failure.kind() == Kind::unavailable) {
    return 503;
  }
  if (failure.fault == Fault::job_not_stored) return entry.http;
  if (failure.kind() == Kind::internal || failure.fault == Fault::store_full) return 500;
  if (failure.fault == Fault::too_large) return 413;
  if (failure.fault == Fault::tag_not_found) return 404;
  return entry.http;
}

net::Reply render(int status, ims::CatalogueEntry const& entry, std::string_view detail) {
  net::Reply reply;
  reply.status = status;
  reply.content_type = "application/json";
  auto const message =
      detail.empty() ? std::string(entry.message) : fmt::format("{} ({})", entry.message, detail);
  json::Writer writer(reply.body);
  writer.begin_object().key("error").begin_object().field("code", entry.code);
  writer.field("message", message).end_object().end_object();
  return reply;
}

net::Reply refuse(Error const& failure, ErrorContext const& context) {
  auto const& entry = entry_of(failure, context);
  int const status = context.status != 0 ? context.status : status_of(failure, entry);
  auto reply = render(status, entry, failure.detail);
  if (reply.status == 401) {
    reply.headers.push_back(
        {"WWW-Authenticate", fmt::format("Keystone uri=\"{}\"", context.auth_url)});
  }
  return reply;
}

net::Reply method_not_allowed(ErrorContext const&) {
  return render(405, ims::entry("IMG.0105"), "the method is not one of this path");
}

} // namespace

Family const ims_family{.name = "ims",
                        .refuse = refuse,
                        .method_not_allowed = method_not_allowed,
                        .check_path = ims::check_path,
                        .trailing_slash = true};

} // namespace vitrine::api
