// Projects: who owns images, and whom they are shared with.
#pragma once

#include "base/result.hpp"
#include "identity/builtin/domains.hpp"
#include "model/caller.hpp"
#include "model/project_directory.hpp"

#include <optional>
#include <string>
#include <vector>

namespace vitrine::identity::builtin {

struct NewProject {
  std::string name;
  DomainId domain{kDefaultDomain};
  std::string description{};
  bool enabled{true};
};

/// Absent members stay as they are.
struct ProjectChange {
  std::optional<std::string> name{};
  std::optional<std::string> description{};
  std::optional<bool> enabled{};
};

/// What listed projects or users must match; absent members match all.
struct Filter {
  std::optional<std::string> domain{};
  std::optional<std::string> name{};
  std::optional<bool> enabled{};
};

/// Thread-safe. Changes leave audit events, as those of Users do.
class Projects final : public model::ProjectDirectory {
public:
  explicit Projects(Core& core) : core_(core) {}

  Result<bool> is_usable(ProjectId const& project) override;

  /// Error: `not_found`.
  Result<model::Project> get(ProjectId const& id);
  /// By id, or by name in the default domain. Error: `not_found`.
  Result<model::Project> find(std::string const& id_or_name);
  Result<std::vector<model::Project>> list(Filter const& filter);
  /// Projects in which the user holds a role.
  Result<std::vector<model::Project>> of_user(UserId const& user);

  /// Errors: `invalid_value` (name, domain_id), `name_taken`.
  Result<model::Project> create(NewProject const& wanted, model::Caller const& by = {});
  /// Disabling voids the project's tokens. Errors: `not_found`, `invalid_value`, `name_taken`.
  Result<model::Project> change(ProjectId const& id, ProjectChange const& change,
                                model::Caller const& by = {});
  /// Voids the project's tokens, and removes its roles, application credentials and access
  /// keys. Images stay with their owner's id. Error: `not_found`.
  Result<> remove(ProjectId const& id, model::Caller const& by = {});

private:
  Core& core_;
};

} // namespace vitrine::identity::builtin
