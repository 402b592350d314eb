// What the parts of the built-in identity share; for the files of this folder only.
#pragma once

#include "base/clock.hpp"
#include "identity/builtin/options.hpp"
#include "identity/builtin/passwords.hpp"
#include "identity/builtin/secret_seal.hpp"
#include "identity/caller_cache.hpp"
#include "identity/login_limiter.hpp"
#include "model/audit.hpp"
#include "model/identity.hpp"
#include "store/metadata/audit.hpp"
#include "store/metadata/database.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vitrine::identity::builtin {

struct Core {
  Core(store::Database& store, Clock const& time, Options settings)
      : database(store), clock(time), options(std::move(settings)),
        passwords(options.password_cost),
        cache(options.token_cache_seconds * kMicrosecondsPerSecond),
        key_holders(options.token_cache_seconds * kMicrosecondsPerSecond),
        limiter(options.login_limits), seal(options.access_key_file) {}

  store::Database& database;
  Clock const& clock;
  Options const options;
  Passwords passwords;
  CallerCache cache;
  KeyHolderCache key_holders;
  LoginLimiter limiter;
  SecretSeal seal;

  template <class F>
  auto read(F&& work) {
    return database.read(std::forward<F>(work));
  }
  /// A change of identity: what was known of any caller is forgotten once it is stored.
  template <class F>
  auto write(F&& work) {
    auto result = database.write(std::forward<F>(work));
    forget_callers();
    return result;
  }
  /// Whether a login may be tried, which counts as failed until it is forgiven. Logs when a limit
  /// begins to hold; `user` is for the log: one who exists, or empty, since what else is given as a
  /// name may be a password.
  bool admit_login(std::string const& key, std::string_view user, std::string_view address,
                   Time now);
  void forget_callers() noexcept {
    cache.drop_all();
    key_holders.drop_all();
  }
};

/// Tokens older than this are dead whatever the configuration says; what voids them may be
/// forgotten.
constexpr std::int64_t kTokenLifetimeMaxUs = 31LL * 24 * 3600 * kMicrosecondsPerSecond;

/// Trimmed name of 1 to `characters_max` characters. Error: `invalid_value`, field `name`.
Result<std::string> checked_name(std::string_view name, std::size_t characters_max);
/// What was looked for. Error: `not_found` for `what` (user, project, …) when it is not there.
template <class T>
Result<T> present(Result<std::optional<T>> found, std::string_view what, std::string_view id) {
  if (!found) return std::move(found).error();
  if (*found) return std::move(**found);
  return error(Fault::not_found,
               "Could not find " + std::string(what) + ": " + std::string(id) + ".");
}
/// What the failed logins of a user are counted by, whether there is one or not.
std::string login_key(DomainId const& domain, std::string_view name);
/// Turns the `conflict` of a taken name into `name_taken`.
Result<> taken(Result<> stored, std::string_view what, std::string_view name);

/// The event of a role that was given or taken. All it names must outlive it.
model::IdentityChange grant_event(model::AuditKind const& kind, Time now, model::Caller const& by,
                                  UserId const& user, model::Scope const& scope,
                                  model::Role const& role);

/// What of a stored thing a change really changes.
class Changes {
public:
  /// Sets the member to what is wanted, if anything is.
  template <class T>
  void set(std::string_view name, T& member, std::optional<T> const& wanted) {
    if (!wanted || *wanted == member) return;
    member = *wanted;
    note(name);
  }
  void note(std::string_view name) { names_.push_back(name); }
  [[nodiscard]] std::vector<std::string_view> const& names() const noexcept { return names_; }

private:
  std::vector<std::string_view> names_;
};

} // namespace vitrine::identity::builtin
