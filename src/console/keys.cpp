#include "console/keys.hpp"

#include "service/key_admin.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <ostream>
#include <utility>

namespace vitrine::console {
namespace {

struct Session {
  KeyTools tools;
  KeyTools::Place place;
  KeyTools::Grantee grantee;
  std::string key;
};

using Shared = std::shared_ptr<Session>;
using Work = Result<> (*)(Session const&, service::KeyAdmin&, std::string const& grantee);

std::string_view word_of(store::KeyState state) {
  return state == store::KeyState::enabled ? "enabled" : "disabled";
}

Result<> list(Session const& session, service::KeyAdmin& keys, std::string const&) {
  for (auto const& [key, grantees] : TRY(keys.list())) {
    session.tools.out << fmt::format(
        "{}  {:8}  {}  {}{}{}\n", key.id, word_of(key.state), format_seconds(key.created_at),
        key.name, grantees.empty() ? "" : "  granted to ", fmt::join(grantees, ", "));
  }
  return {};
}

Result<> create(Session const& session, service::KeyAdmin& keys, std::string const& grantee) {
  auto const key = TRY(keys.create(session.key));
  session.tools.out << key.id << "\n";
  return grantee.empty() ? Result<>() : keys.grant(key.id, grantee);
}

Result<> disable(Session const& session, service::KeyAdmin& keys, std::string const&) {
  return keys.set_enabled(session.key, false);
}

Result<> enable(Session const& session, service::KeyAdmin& keys, std::string const&) {
  return keys.set_enabled(session.key, true);
}

Result<> grant(Session const& session, service::KeyAdmin& keys, std::string const& grantee) {
  return keys.grant(session.key, grantee);
}

Result<> revoke(Session const& session, service::KeyAdmin& keys, std::string const& grantee) {
  return keys.revoke(session.key, grantee);
}

CLI::App* add_command(CLI::App& parent, Shared const& session, std::function<Result<>()>& chosen,
                      std::string const& name, std::string const& text, Work work) {
  auto* command = parent.add_subcommand(name, text)->fallthrough();
  command->callback([session, &chosen, work] {
    chosen = [session, work]() -> Result<> {
      session->grantee.was_granted = work == revoke;
      return session->tools.with_keys(session->place, session->grantee,
                                      [&](service::KeyAdmin& keys, std::string const& grantee) {
                                        return work(*session, keys, grantee);
                                      });
    };
  });
  return command;
}

void add_grantee(CLI::App& command, Shared const& session, bool required) {
  auto* group = command.add_option_group("grantee", "Who may use the key");
  group->add_option("--project", session->grantee.project,
                    "A project: its id, or its name where the built-in identity knows it");
  group->add_option("--domain", session->grantee.domain, "All projects of a domain, as --project");
  group->require_option(required ? 1 : 0, 1);
}

} // namespace

void add_key_commands(CLI::App& program, std::function<Result<>()>& chosen, KeyTools tools) {
  auto const session = std::make_shared<Session>(std::move(tools));
  auto* keys = program.add_subcommand("keys", "The keys that images are encrypted with");
  keys->require_subcommand(1);
  keys->add_option("--standalone", session->place.standalone, "Directory of the service");
  keys->add_option("--config", session->place.config_file, "TOML file of the service");
  add_command(*keys, session, chosen, "list", "List them, with who may use them.", list);
  auto* creating =
      add_command(*keys, session, chosen, "create", "Make a key and print its id.", create);
  creating->add_option("name", session->key, "Its name")->required();
  add_grantee(*creating, session, false);
  auto* disabling = add_command(*keys, session, chosen, "disable",
                                "Nobody can use the key, nor read what it encrypts.", disable);
  auto* enabling = add_command(*keys, session, chosen, "enable", "It can be used again.", enable);
  auto* granting =
      add_command(*keys, session, chosen, "grant", "Let a project or a domain use it.", grant);
  auto* revoking = add_command(*keys, session, chosen, "revoke", "Take that back.", revoke);
  for (auto* command : {disabling, enabling, granting, revoking})
    command->add_option("key", session->key, "Its id or name")->required();
  for (auto* command : {granting, revoking})
    add_grantee(*command, session, true);
}

} // namespace vitrine::console
