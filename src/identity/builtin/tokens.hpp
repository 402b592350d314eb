// Logging in, checking and revoking tokens.
#pragma once

#include "base/result.hpp"
#include "identity/authenticator.hpp"
#include "identity/builtin/domains.hpp"
#include "identity/builtin/session.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vitrine::identity::builtin {

struct Core;

/// A user or project as named in a login: by id, or by name within a domain.
struct InDomain {
  Reference self;
  Reference domain;
};

struct PasswordProof {
  InDomain user;
  std::string password;
};

struct CredentialProof {
  Reference credential; ///< a name needs the user too
  InDomain user;
  std::string secret;
};

struct WantedScope {
  enum class Kind : std::uint8_t {
    by_default, ///< the user's default project if it can be had, else none
    none,
    project,
    domain
  };
  Kind kind{Kind::by_default};
  InDomain target; ///< of a domain: `self`
};

/// What a client shows to get a token. Each proof that is there must hold, all for the same user.
struct Login {
  std::optional<PasswordProof> password{};
  std::optional<std::string> token{};
  std::optional<CredentialProof> application_credential{};
  WantedScope scope{};
  std::string address{}; ///< of the client
};

struct Issued {
  std::string text; ///< the token itself
  Session session;
};

/// Thread-safe.
class Tokens final : public Authenticator {
public:
  explicit Tokens(Core& core) : core_(core) {}

  Result<std::shared_ptr<model::Caller const>> caller_of(Shown const& shown) override;
  std::shared_ptr<model::Caller const> known_caller(Shown const& shown) override;
  void forget_callers() noexcept override;
  [[nodiscard]] std::string auth_url(std::string_view base_url) const override;

  /// Errors: `unauthenticated` for whatever is wrong with a proof or the scope, never told apart;
  /// `forbidden` when a token got with an application credential asks for another scope.
  Result<Issued> log_in(Login const& login);
  /// What a token stands for. Error: `not_found` when it is no good.
  Result<Session> inspect(std::string_view token);
  /// Voids one token. Error: `not_found` when it is no good already.
  Result<> revoke(std::string_view token, model::Caller const& by);

  /// From now on tokens are signed with a new key. Old tokens stay good, unless `void_old`.
  Result<> rotate_keys(bool void_old, model::Caller const& by);

private:
  struct Proven;

  Result<> prove_password(PasswordProof const& proof, std::string const& address, Proven& proven);
  Result<> prove_token(std::string const& text, Proven& proven);
  Result<> prove_credential(CredentialProof const& proof, std::string const& address,
                            Proven& proven);

  Core& core_;
};

} // namespace vitrine::identity::builtin
