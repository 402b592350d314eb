// Who is asking: the port that turns a token into a Caller. Drivers: builtin/, keystone/.
#pragma once

#include "base/result.hpp"
#include "model/caller.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace vitrine::identity {

/// What a request shows of who sent it.
struct Shown {
  std::string_view token;           ///< X-Auth-Token
  std::string_view service_token{}; ///< X-Service-Token: of a service that asks for a user
};

/// Thread-safe.
class Authenticator {
public:
  virtual ~Authenticator() = default;
  /// The caller a token stands for, with implied roles and role aliases applied; `request_id` and
  /// `address` are left empty. Shared, because one token serves many requests: the hot path copies
  /// nothing but a pointer. Errors: `unauthenticated` for a token that is missing, unknown, expired
  /// or revoked (never told apart), `identity_unavailable`.
  virtual Result<std::shared_ptr<model::Caller const>> caller_of(Shown const& shown) = 0;
  /// As `caller_of`, from memory alone: null when that does not tell, of a good token or any other;
  /// then `caller_of` follows. Never waits.
  virtual std::shared_ptr<model::Caller const> known_caller(Shown const& shown) = 0;
  /// Forgets every caller it knows, at once: the policy that says who administers was replaced.
  virtual void forget_callers() noexcept = 0;
  /// What `WWW-Authenticate: Keystone uri="…"` and clients.yaml name; may be relative to the
  /// request's own base.
  [[nodiscard]] virtual std::string auth_url(std::string_view base_url) const = 0;
  /// True when `caller_of` may wait for another machine: never to be called on an io thread then.
  [[nodiscard]] virtual bool waits() const noexcept { return false; }
};

} // namespace vitrine::identity
