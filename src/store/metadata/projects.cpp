#include "store/metadata/projects.hpp"

namespace vitrine::store {
namespace {

model::Domain row_to_domain(Row const& row) {
  return {.id = row.id<DomainId>(0),
          .name = row.string(1),
          .description = row.string(2),
          .enabled = row.flag(3)};
}

model::Project row_to_project(Row const& row) {
  return {.id = row.id<ProjectId>(0),
          .domain = row.id<DomainId>(1),
          .name = row.string(2),
          .description = row.string(3),
          .enabled = row.flag(4),
          .created_at = row.time(5)};
}

} // namespace

Result<std::optional<model::Domain>> Domains::find(DomainId const& id) {
  std::optional<model::Domain> found;
  TRY(connection_.run(sql::find_domain, {id}, [&](Row const& row) { found = row_to_domain(row); }));
  return found;
}

Result<std::optional<model::Domain>> Domains::find_named(std::string_view name) {
  std::optional<model::Domain> found;
  TRY(connection_.run(sql::find_domain_named, {name},
                      [&](Row const& row) { found = row_to_domain(row); }));
  return found;
}

Result<std::vector<model::Domain>> Domains::list(std::optional<std::string_view> name,
                                                 std::optional<bool> enabled) {
  std::vector<model::Domain> out;
  TRY(connection_.run(sql::list_domains, {name, enabled},
                      [&](Row const& row) { out.push_back(row_to_domain(row)); }));
  return out;
}

Result<std::vector<model::Domain>> Domains::of_user(UserId const& user) {
  std::vector<model::Domain> out;
  TRY(connection_.run(sql::list_domains_of_user, {user},
                      [&](Row const& row) { out.push_back(row_to_domain(row)); }));
  return out;
}

Result<> Domains::insert(model::Domain const& domain) {
  TRY(connection_.run(sql::insert_domain,
                      {domain.id, domain.name, domain.description, domain.enabled}));
  return {};
}

Result<std::optional<model::Project>> Projects::find(ProjectId const& id) {
  std::optional<model::Project> found;
  TRY(connection_.run(sql::find_project, {id},
                      [&](Row const& row) { found = row_to_project(row); }));
  return found;
}

Result<std::optional<model::Project>> Projects::find_named(DomainId const& domain,
                                                           std::string_view name) {
  std::optional<model::Project> found;
  TRY(connection_.run(sql::find_project_named, {domain, name},
                      [&](Row const& row) { found = row_to_project(row); }));
  return found;
}

Result<std::vector<model::Project>> Projects::list(ListFilter const& filter) {
  std::vector<model::Project> out;
  TRY(connection_.run(sql::list_projects, {filter.domain, filter.name, filter.enabled},
                      [&](Row const& row) { out.push_back(row_to_project(row)); }));
  return out;
}

Result<std::vector<model::Project>> Projects::of_user(UserId const& user) {
  std::vector<model::Project> out;
  TRY(connection_.run(sql::list_projects_of_user, {user},
                      [&](Row const& row) { out.push_back(row_to_project(row)); }));
  return out;
}

Result<> Projects::insert(model::Project const& project) {
  TRY(connection_.run(sql::insert_project,
                      {project.id, project.domain, project.name, project.description,
                       project.enabled, project.created_at}));
  return {};
}

Result<> Projects::update(model::Project const& project) {
  TRY(connection_.run(sql::update_project,
                      {project.id, project.name, project.description, project.enabled}));
  return {};
}

Result<> Projects::remove(ProjectId const& id) {
  TRY(connection_.run(sql::delete_project, {id}));
  TRY(connection_.run(sql::remove_assignments_in_scope, {"project", id}));
  TRY(connection_.run(sql::delete_credentials_of_project, {id}));
  TRY(connection_.run(sql::delete_access_keys_of_project, {id}));
  TRY(connection_.run(sql::delete_stray_credential_roles, {}));
  return {};
}

} // namespace vitrine::store
