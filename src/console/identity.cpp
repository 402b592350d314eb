#include "console/identity.hpp"

#include "base/text.hpp"
#include "console/operator.hpp"
#include "identity/builtin/directory.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>
#include <ostream>
#include <vector>

namespace vitrine::console {
namespace {

using identity::builtin::Directory;

model::Caller operator_here() { return operator_of("vitrine identity"); }

// The values of all options; one command fills the few it declares.
struct Values {
  Place place;
  std::string name;
  std::string description;
  std::string email;
  std::string user;
  std::string project;
  std::string domain;
  std::string role{"member"};
  std::vector<std::string> roles;
  std::string expires_at;
  bool generate{false};
  bool unrestricted{false};
  bool void_tokens{false};
};

// What all commands share.
struct Session {
  IdentityTools tools;
  Values values;
  std::function<Result<>()>& chosen;

  void print(std::string const& line) const { tools.out << text::printable(line) << '\n'; }
  /// A password read or made; `show_made` prints a made one once it is somebody's.
  [[nodiscard]] Result<std::string> new_password() const {
    if (values.generate) return identity::builtin::new_secret();
    return tools.read_password();
  }
  void show_made(std::string const& password) const {
    if (values.generate) print("password: " + password);
  }
  [[nodiscard]] Result<model::Scope> scope(Directory& directory) const {
    if (!values.domain.empty()) return model::Scope::of(DomainId{values.domain});
    if (values.project.empty()) {
      return error(Fault::invalid_value, "--project or --domain is needed");
    }
    return model::Scope::of(TRY(directory.projects().find(values.project)).id);
  }
};

using Shared = std::shared_ptr<Session>;
using Work = Result<> (*)(Session&, Directory&);

CLI::App* add_command(CLI::App& parent, Shared const& session, std::string const& name,
                      std::string const& text, Work work) {
  auto* command = parent.add_subcommand(name, text)->fallthrough();
  add_place(*command, session->values.place);
  command->callback([session, work] {
    session->chosen = [session, work] {
      return session->tools.with_directory(
          session->values.place, [&](Directory& directory) { return work(*session, directory); });
    };
  });
  return command;
}

CLI::App* add_group(CLI::App& parent, std::string const& name, std::string const& text) {
  return parent.add_subcommand(name, text)->fallthrough()->require_subcommand(1);
}

std::string_view state(bool enabled) { return enabled ? "enabled" : "disabled"; }

Result<> list_projects(Session& session, Directory& directory) {
  auto const projects = TRY(directory.projects().list({}));
  for (auto const& project : projects) {
    session.print(
        fmt::format("{}  {:8}  {}", project.id.text, state(project.enabled), project.name));
  }
  return {};
}

Result<> create_project(Session& session, Directory& directory) {
  auto const project = TRY(directory.projects().create(
      {.name = session.values.name, .description = session.values.description}, operator_here()));
  session.print(project.id.text);
  return {};
}

Result<> set_project_enabled(Session& session, Directory& directory, bool enabled) {
  auto const project = TRY(directory.projects().find(session.values.name));
  TRY(directory.projects().change(project.id, {.enabled = enabled}, operator_here()));
  return {};
}

Result<> delete_project(Session& session, Directory& directory) {
  auto const project = TRY(directory.projects().find(session.values.name));
  return directory.projects().remove(project.id, operator_here());
}

void add_project_commands(CLI::App& identity, Shared const& session) {
  auto& values = session->values;
  auto* group = add_group(identity, "project", "Projects, which own images.");
  add_command(*group, session, "list", "List projects: id, state, name.", list_projects);
  auto* create =
      add_command(*group, session, "create", "Create a project; prints its id.", create_project);
  create->add_option("--description", values.description, "What it is for.");
  auto* enable =
      add_command(*group, session, "enable", "Let a project be used again.",
                  [](Session& s, Directory& d) { return set_project_enabled(s, d, true); });
  auto* disable = add_command(
      *group, session, "disable", "Keep a project from being used; its tokens are void.",
      [](Session& s, Directory& d) { return set_project_enabled(s, d, false); });
  auto* remove =
      add_command(*group, session, "delete", "Delete a project; its images stay.", delete_project);
  for (auto* command : {create, enable, disable, remove})
    command->add_option("name", values.name, "Name or id.")->required();
}

Result<> list_users(Session& session, Directory& directory) {
  auto const users = TRY(directory.users().list({}));
  for (auto const& user : users) {
    session.print(fmt::format("{}  {:8}  {}", user.id.text, state(user.enabled), user.name));
  }
  return {};
}

Result<> create_user(Session& session, Directory& directory) {
  auto const& values = session.values;
  identity::builtin::NewUser wanted{
      .name = values.name, .description = values.description, .email = values.email};
  if (!values.project.empty()) {
    wanted.default_project = TRY(directory.projects().find(values.project)).id;
    auto const role = TRY(directory.roles().find(values.role));
    wanted.grants = {{model::Scope::of(wanted.default_project), role.id}};
  }
  wanted.password = TRY(session.new_password());
  auto const user = TRY(directory.users().create(wanted, operator_here()));
  session.show_made(*wanted.password);
  session.print(user.id.text);
  return {};
}

Result<> set_password(Session& session, Directory& directory) {
  auto const user = TRY(directory.users().find(session.values.name));
  auto const password = TRY(session.new_password());
  TRY(directory.users().change(user.id, {.password = password}, operator_here()));
  session.show_made(password);
  return {};
}

Result<> set_user_enabled(Session& session, Directory& directory, bool enabled) {
  auto const user = TRY(directory.users().find(session.values.name));
  TRY(directory.users().change(user.id, {.enabled = enabled}, operator_here()));
  return {};
}

Result<> delete_user(Session& session, Directory& directory) {
  auto const user = TRY(directory.users().find(session.values.name));
  return directory.users().remove(user.id, operator_here());
}

void add_user_commands(CLI::App& identity, Shared const& session) {
  auto& values = session->values;
  auto* group = add_group(identity, "user", "Users. Passwords come from standard input.");
  add_command(*group, session, "list", "List users: id, state, name.", list_users);
  auto* create =
      add_command(*group, session, "create", "Create a user; prints the id.", create_user);
  create->add_option("--project", values.project, "Default project, where the role is given.");
  create->add_option("--role", values.role, "Role in that project.")->capture_default_str();
  create->add_option("--description", values.description, "Who it is.");
  create->add_option("--email", values.email, "Address.");
  auto* password = add_command(*group, session, "set-password",
                               "Set a user's password; their tokens are void.", set_password);
  for (auto* command : {create, password})
    command->add_flag("--generate", values.generate, "Make a password and print it once.");
  auto* enable = add_command(*group, session, "enable", "Let a user log in again.",
                             [](Session& s, Directory& d) { return set_user_enabled(s, d, true); });
  auto* disable =
      add_command(*group, session, "disable", "Keep a user from logging in; their tokens are void.",
                  [](Session& s, Directory& d) { return set_user_enabled(s, d, false); });
  auto* remove = add_command(*group, session, "delete", "Delete a user.", delete_user);
  for (auto* command : {create, password, enable, disable, remove})
    command->add_option("name", values.name, "Name or id.")->required();
}

Result<> list_roles(Session& session, Directory& directory) {
  auto const roles = TRY(directory.roles().list(std::nullopt));
  for (auto const& role : roles)
    session.print(fmt::format("{}  {}", role.id.text, role.name));
  return {};
}

Result<> create_role(Session& session, Directory& directory) {
  auto const role = TRY(
      directory.roles().create(session.values.name, session.values.description, operator_here()));
  session.print(role.id.text);
  return {};
}

Result<> delete_role(Session& session, Directory& directory) {
  auto const role = TRY(directory.roles().find(session.values.name));
  return directory.roles().remove(role.id, operator_here());
}

void add_role_commands(CLI::App& identity, Shared const& session) {
  auto& values = session->values;
  auto* group = add_group(identity, "role", "Roles, which policies name.");
  add_command(*group, session, "list", "List roles: id, name.", list_roles);
  auto* create =
      add_command(*group, session, "create", "Create a role; prints its id.", create_role);
  create->add_option("--description", values.description, "What it is for.");
  auto* remove =
      add_command(*group, session, "delete", "Delete a role and all grants of it.", delete_role);
  for (auto* command : {create, remove})
    command->add_option("name", values.name, "Name or id.")->required();
}

Result<> list_grants(Session& session, Directory& directory) {
  auto const& values = session.values;
  identity::builtin::AssignmentQuery query;
  if (!values.user.empty()) query.user = TRY(directory.users().find(values.user)).id;
  if (!values.project.empty() || !values.domain.empty()) {
    query.scope = TRY(session.scope(directory));
  }
  auto const assignments = TRY(directory.roles().assignments(query));
  for (auto const& one : assignments) {
    auto const on = one.scope.kind == model::Scope::Kind::project ? "project" : "domain";
    session.print(
        fmt::format("{}  {}  on {} {}", one.user_name, one.role.name, on, one.scope_name));
  }
  return {};
}

Result<> create_grant(Session& session, Directory& directory) {
  auto const user = TRY(directory.users().find(session.values.user));
  auto const role = TRY(directory.roles().find(session.values.role));
  auto const scope = TRY(session.scope(directory));
  return directory.roles().grant(user.id, scope, role.id, operator_here());
}

Result<> delete_grant(Session& session, Directory& directory) {
  auto const user = TRY(directory.users().find(session.values.user));
  auto const role = TRY(directory.roles().find(session.values.role));
  auto const scope = TRY(session.scope(directory));
  return directory.roles().revoke(user.id, scope, role.id, operator_here());
}

void add_grant_commands(CLI::App& identity, Shared const& session) {
  auto& values = session->values;
  auto* group = add_group(identity, "grant", "Roles of users on projects and domains.");
  auto* list = add_command(*group, session, "list", "List grants.", list_grants);
  auto* create = add_command(*group, session, "create", "Give a user a role.", create_grant);
  auto* remove = add_command(*group, session, "delete",
                             "Take a role from a user; their tokens there are void.", delete_grant);
  for (auto* command : {list, create, remove}) {
    auto* user = command->add_option("--user", values.user, "Name or id of the user.");
    auto* project = command->add_option("--project", values.project, "Name or id of the project.");
    command->add_option("--domain", values.domain, "Id of the domain.")->excludes(project);
    if (command == list) continue;
    user->required();
    command->add_option("--role", values.role, "Name or id of the role.")->capture_default_str();
  }
}

Result<> list_credentials(Session& session, Directory& directory) {
  auto const user = TRY(directory.users().find(session.values.user));
  auto const credentials = TRY(directory.application_credentials().list(user.id, std::nullopt));
  for (auto const& one : credentials) {
    auto const expiry = one.expires_at ? format_seconds(*one.expires_at) : std::string("never");
    session.print(fmt::format("{}  {:20}  {}", one.id.text, expiry, one.name));
  }
  return {};
}

Result<> create_credential(Session& session, Directory& directory) {
  auto const& values = session.values;
  identity::builtin::NewCredential wanted;
  wanted.user = TRY(directory.users().find(values.user)).id;
  wanted.project = TRY(directory.projects().find(values.project)).id;
  wanted.name = values.name;
  wanted.description = values.description;
  wanted.roles = values.roles;
  wanted.unrestricted = values.unrestricted;
  if (!values.expires_at.empty()) {
    wanted.expires_at = parse_time(values.expires_at);
    if (!wanted.expires_at) return error(Fault::invalid_value, "--expires-at is not a time");
  }
  auto const created =
      TRY(directory.application_credentials().create(std::move(wanted), operator_here()));
  session.print("id: " + created.credential.id.text);
  session.print("secret: " + created.secret);
  return {};
}

Result<> delete_credential(Session& session, Directory& directory) {
  auto const user = TRY(directory.users().find(session.values.user));
  auto const credentials = TRY(directory.application_credentials().list(user.id, std::nullopt));
  for (auto const& one : credentials) {
    if (one.id.text != session.values.name && one.name != session.values.name) continue;
    return directory.application_credentials().remove(user.id, one.id, operator_here());
  }
  return error(Fault::not_found,
               "Could not find application credential: " + session.values.name + ".");
}

void add_credential_commands(CLI::App& identity, Shared const& session) {
  auto& values = session->values;
  auto* group = add_group(identity, "app-credential", "Application credentials of users.");
  auto* list = add_command(*group, session, "list", "List: id, expiry, name.", list_credentials);
  auto* create = add_command(*group, session, "create",
                             "Create one; prints its id and secret once.", create_credential);
  create->add_option("--project", values.project, "Project it is good for.")->required();
  create->add_option("--role", values.roles, "Roles it lends; all of the user's unless given.");
  create->add_option("--description", values.description, "What it is for.");
  create->add_option("--expires-at", values.expires_at, "Time, such as 2030-01-31T00:00:00Z.");
  create->add_flag("--unrestricted", values.unrestricted, "It may manage application credentials.");
  auto* remove =
      add_command(*group, session, "delete", "Delete one; its tokens are void.", delete_credential);
  for (auto* command : {list, create, remove})
    command->add_option("--user", values.user, "Name or id of the user.")->required();
  for (auto* command : {create, remove})
    command->add_option("name", values.name, "Name; to delete also the id.")->required();
}

Result<> list_access_keys(Session& session, Directory& directory) {
  std::optional<UserId> user;
  if (!session.values.user.empty()) user = TRY(directory.users().find(session.values.user)).id;
  auto const keys = TRY(directory.access_keys().list(user));
  for (auto const& key : keys) {
    session.print(fmt::format("{}  {}  {}  {}  {}", key.id, format_seconds(key.created_at),
                              key.user.text, key.project.text, key.description));
  }
  return {};
}

Result<> create_access_key(Session& session, Directory& directory) {
  auto const& values = session.values;
  auto const user = TRY(directory.users().find(values.user));
  auto const project = TRY(directory.projects().find(values.project));
  auto const created =
      TRY(directory.access_keys().create(user.id, project.id, values.description, operator_here()));
  session.print("access key: " + created.key.id);
  session.print("secret key: " + created.secret);
  session.print("project id: " + created.key.project.text);
  return {};
}

Result<> delete_access_key(Session& session, Directory& directory) {
  return directory.access_keys().remove(session.values.name, operator_here());
}

void add_access_key_commands(CLI::App& identity, Shared const& session) {
  auto& values = session->values;
  auto* group = add_group(identity, "access-key",
                          "Access keys (AK/SK): they sign requests for a user within one project.");
  auto* list = add_command(*group, session, "list", "List: key, time, user, project, description.",
                           list_access_keys);
  auto* create = add_command(*group, session, "create",
                             "Create one; prints the key and its secret once.", create_access_key);
  create->add_option("--project", values.project, "Project it is good for.")->required();
  create->add_option("--description", values.description, "What it is for.");
  list->add_option("--user", values.user, "Name or id of the user; of all unless given.");
  create->add_option("--user", values.user, "Name or id of the user.")->required();
  auto* remove = add_command(*group, session, "delete", "Delete one; it signs nothing any more.",
                             delete_access_key);
  remove->add_option("key", values.name, "The access key.")->required();
}

Result<> rotate_keys(Session& session, Directory& directory) {
  return directory.tokens().rotate_keys(session.values.void_tokens, operator_here());
}

} // namespace

void add_identity_commands(CLI::App& program, std::function<Result<>()>& chosen,
                           IdentityTools tools) {
  auto const session = std::make_shared<Session>(std::move(tools), Values{}, chosen);
  auto* identity = add_group(program, "identity", "Manage the built-in identity.");
  add_place(*identity, session->values.place);
  add_project_commands(*identity, session);
  add_user_commands(*identity, session);
  add_role_commands(*identity, session);
  add_grant_commands(*identity, session);
  add_credential_commands(*identity, session);
  add_access_key_commands(*identity, session);
  auto* rotate =
      add_command(*identity, session, "rotate-keys",
                  "Sign tokens with a new key; those that are out stay good.", rotate_keys);
  rotate->add_flag("--void-tokens", session->values.void_tokens, "Void all tokens that are out.");
}

} // namespace vitrine::console
