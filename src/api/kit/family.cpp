#include "api/kit/family.hpp"

namespace vitrine::api {

int status_of(Kind kind) noexcept {
  switch (kind) {
  case Kind::invalid: return 400;
  case Kind::unauthenticated: return 401;
  case Kind::forbidden: return 403;
  case Kind::not_found: return 404;
  case Kind::conflict: return 409;
  case Kind::too_large: return 413;
  case Kind::unsupported_media: return 415;
  case Kind::gone: return 410;
  case Kind::unavailable: return 503;
  case Kind::internal: break;
  }
  return 500;
}

} // namespace vitrine::api
