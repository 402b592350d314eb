// Users and their passwords.
#pragma once

#include "base/result.hpp"
#include "identity/builtin/projects.hpp"
#include "model/caller.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::identity::builtin {

/// A role in a scope, for a user to be.
struct Grant {
  model::Scope scope;
  model::RoleId role;
};

struct NewUser {
  std::string name;
  DomainId domain{kDefaultDomain};
  std::optional<std::string> password{}; ///< absent: the user cannot log in with one
  std::string description{};
  std::string email{};
  ProjectId default_project{};
  bool enabled{true};
  std::vector<Grant> grants{}; ///< stored with the user, all or nothing; must exist
};

/// Absent members stay as they are.
struct UserChange {
  std::optional<std::string> name{};
  std::optional<std::string> password{};
  std::optional<std::string> description{};
  std::optional<std::string> email{};
  std::optional<ProjectId> default_project{};
  std::optional<bool> enabled{};
};

/// Thread-safe. Every change leaves an audit event that names who asked, `by`: the server itself
/// unless told. What changes nothing leaves none.
class Users {
public:
  explicit Users(Core& core) : core_(core) {}

  /// Error: `not_found`.
  Result<model::User> get(UserId const& id);
  /// By id, or by name in the default domain. Error: `not_found`.
  Result<model::User> find(std::string const& id_or_name);
  Result<std::vector<model::User>> list(Filter const& filter);
  /// Whether the user of that name in the default domain is there and has that password. For
  /// commands and starts: strangers log in, which counts what they try.
  Result<bool> has_password(std::string const& name, std::string_view password);

  /// Errors: `invalid_value` (name, password, domain_id), `name_taken`.
  Result<model::User> create(NewUser const& wanted, model::Caller const& by = {});
  /// All of them or, with the same errors, none.
  Result<std::vector<model::User>> create_all(std::vector<NewUser> const& wanted,
                                              model::Caller const& by = {});
  /// A new password and disabling void the user's tokens. Errors: `not_found`, `invalid_value`,
  /// `name_taken`.
  Result<model::User> change(UserId const& id, UserChange const& change,
                             model::Caller const& by = {});
  /// The user's own change; voids their tokens. Wrong originals count as failed logins of the user.
  /// `by` tells their address. Errors: `unauthenticated` for a wrong original (or too many),
  /// `invalid_value` (password).
  Result<> change_password(UserId const& id, std::string_view original, std::string_view wanted,
                           model::Caller const& by);
  /// Voids the user's tokens and removes their roles, application credentials and access keys.
  /// Error: `not_found`.
  Result<> remove(UserId const& id, model::Caller const& by = {});

private:
  Core& core_;
};

} // namespace vitrine::identity::builtin
