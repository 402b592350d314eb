#include "identity/builtin/projects.hpp"

#include "identity/builtin/core.hpp"
#include "store/metadata/projects.hpp"
#include "store/metadata/tokens.hpp"

namespace vitrine::identity::builtin {
namespace {

using store::Connection;

constexpr std::size_t kNameCharacters = 64; // as in Keystone

Result<> void_tokens(Connection& connection, ProjectId const& project, Time now) {
  return store::Tokens(connection).void_all({}, project.text, now, kTokenLifetimeMaxUs);
}

model::IdentityTarget target_of(model::Project const& project,
                                std::span<std::string_view const> changed = {}) {
  return {.type = model::IdentityTarget::Type::project,
          .id = project.id.text,
          .name = project.name,
          .changed = changed};
}

} // namespace

Result<bool> Projects::is_usable(ProjectId const& project) {
  return core_.read([&](Connection& connection) -> Result<bool> {
    auto const found = TRY(store::Projects(connection).find(project));
    if (!found || !found->enabled) return false;
    auto const domain = TRY(store::Domains(connection).find(found->domain));
    return domain && domain->enabled;
  });
}

Result<model::Project> Projects::get(ProjectId const& id) {
  return core_.read([&](Connection& connection) -> Result<model::Project> {
    return present(store::Projects(connection).find(id), "project", id.text);
  });
}

Result<model::Project> Projects::find(std::string const& id_or_name) {
  return core_.read([&](Connection& connection) -> Result<model::Project> {
    store::Projects projects(connection);
    if (auto found = TRY(projects.find({id_or_name}))) return std::move(*found);
    return present(projects.find_named({kDefaultDomain}, id_or_name), "project", id_or_name);
  });
}

Result<std::vector<model::Project>> Projects::list(Filter const& filter) {
  return core_.read([&](Connection& connection) {
    return store::Projects(connection)
        .list({.domain = filter.domain, .name = filter.name, .enabled = filter.enabled});
  });
}

Result<std::vector<model::Project>> Projects::of_user(UserId const& user) {
  return core_.read(
      [&](Connection& connection) { return store::Projects(connection).of_user(user); });
}

Result<model::Project> Projects::create(NewProject const& wanted, model::Caller const& by) {
  auto name = TRY(checked_name(wanted.name, kNameCharacters));
  model::Project const project{.id = {new_hex_id()},
                               .domain = wanted.domain,
                               .name = std::move(name),
                               .description = wanted.description,
                               .enabled = wanted.enabled,
                               .created_at = core_.clock.now()};
  return core_.write([&](Connection& connection) -> Result<model::Project> {
    if (!TRY(store::Domains(connection).find(project.domain))) {
      return error(Fault::invalid_value, "There is no such domain.", "domain_id");
    }
    TRY(taken(store::Projects(connection).insert(project), "project", project.name));
    model::IdentityChange const event{model::audit::project_create, project.created_at, by,
                                      target_of(project)};
    TRY(store::Audit(connection).record(event));
    return project;
  });
}

Result<model::Project> Projects::change(ProjectId const& id, ProjectChange const& change,
                                        model::Caller const& by) {
  std::optional<std::string> name;
  if (change.name) name = TRY(checked_name(*change.name, kNameCharacters));
  auto const now = core_.clock.now();
  return core_.write([&](Connection& connection) -> Result<model::Project> {
    store::Projects projects(connection);
    auto project = TRY(present(projects.find(id), "project", id.text));
    bool const was_enabled = project.enabled;
    Changes changes;
    changes.set("name", project.name, name);
    changes.set("description", project.description, change.description);
    changes.set("enabled", project.enabled, change.enabled);
    if (changes.names().empty()) return project;
    TRY(taken(projects.update(project), "project", project.name));
    if (was_enabled && !project.enabled) TRY(void_tokens(connection, id, now));
    model::IdentityChange const event{model::audit::project_update, now, by,
                                      target_of(project, changes.names())};
    TRY(store::Audit(connection).record(event));
    return project;
  });
}

Result<> Projects::remove(ProjectId const& id, model::Caller const& by) {
  auto const now = core_.clock.now();
  return core_.write([&](Connection& connection) -> Result<> {
    store::Projects projects(connection);
    auto const project = TRY(present(projects.find(id), "project", id.text));
    TRY(projects.remove(id));
    TRY(void_tokens(connection, id, now));
    model::IdentityChange const event{model::audit::project_delete, now, by, target_of(project)};
    return store::Audit(connection).record(event);
  });
}

} // namespace vitrine::identity::builtin
