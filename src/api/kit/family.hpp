// An API family: the endpoints that share a form of errors and a few habits.
#pragma once

#include "base/result.hpp"
#include "net/message.hpp"

#include <string>
#include <string_view>

namespace vitrine::api {

struct Context;

/// What an error answer may depend on besides the error.
struct ErrorContext {
  net::RequestHead const* head{nullptr}; ///< null when no head could be parsed
  std::string_view auth_url;             ///< for WWW-Authenticate on 401
  std::string_view action;               ///< policy action that was denied, when one was
  int status{0};                         ///< of a refusal by the wire; 0: as the failure says
};

struct Family {
  std::string_view name;
  /// The answer to a failure: status, body, headers in the form of this family.
  net::Reply (*refuse)(Error const& failure, ErrorContext const& context);
  /// The answer to a known path with another method; the dispatcher adds `Allow`.
  net::Reply (*method_not_allowed)(ErrorContext const& context);
  /// The ids of a path, judged before the query and the body; null: each endpoint judges its own.
  Result<> (*check_path)(Context const& context){nullptr};
  bool head_is_get{false}; ///< HEAD answers as GET without a body; else it is a wrong method
  bool refuses_needless_body{
      false}; ///< a body on an endpoint without one is 400 (contract: glance-v2 1.1)
  bool trailing_slash{false}; ///< one trailing slash is taken as none (contract: ims-api 1)
};

/// The HTTP status that a kind of failure has where a family says nothing else of the fault.
int status_of(Kind kind) noexcept;

extern Family const image_family;    ///< /v2/images…: api/image/errors.cpp
extern Family const ims_family;      ///< /v1/cloudimages…: api/ims/errors.cpp
extern Family const identity_family; ///< /v3…: api/identity/errors.cpp
extern Family const ops_family;      ///< /healthcheck, /metrics: api/ops/errors.cpp

} // namespace vitrine::api
