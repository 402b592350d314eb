#include "console/keys.hpp"

#include "console/operator.hpp"
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

/// What a command asks for.
struct Asked {
  std::string const& key;
  model::Scope const& grantee; ///< of a grant
  service::Change const change;
  std::ostream& out;
};

using Work = Result<> (*)(Asked const&, service::KeyAdmin&);

std::string_view word_of(store::KeyState state) {
  return state == store::KeyState::enabled ? "enabled" : "disabled";
}

Result<> list(Asked const& asked, service::KeyAdmin& keys) {
  for (auto const& [key, grantees] : TRY(keys.list())) {
    asked.out << fmt::format("{}  {:8}  {}  {}{}{}\n", key.id, word_of(key.state),
                             format_seconds(key.created_at), key.name,
                             grantees.empty() ? "" : "  granted to ", fmt::join(grantees, ", "));
  }
  return {};
}

Result<> create(Asked const& asked, service::KeyAdmin& keys) {
  auto const key = TRY(keys.create(asked.key, asked.change));
  asked.out << key.id << "\n";
  if (asked.grantee.kind == model::Scope::Kind::none) return {};
  return keys.grant(key.id, asked.grantee, asked.change);
}

Result<> disable(Asked const& asked, service::KeyAdmin& keys) {
  return keys.set_enabled(asked.key, false, asked.change);
}

Result<> enable(Asked const& asked, service::KeyAdmin& keys) {
  return keys.set_enabled(asked.key, true, asked.change);
}

Result<> grant(Asked const& asked, service::KeyAdmin& keys) {
  return keys.grant(asked.key, asked.grantee, asked.change);
}

Result<> revoke(Asked const& asked, service::KeyAdmin& keys) {
  return keys.revoke(asked.key, asked.grantee, asked.change);
}

CLI::App* add_command(CLI::App& parent, Shared const& session, std::function<Result<>()>& chosen,
                      std::string const& name, std::string const& text, Work work) {
  auto* command = parent.add_subcommand(name, text)->fallthrough();
  command->callback([session, &chosen, work] {
    chosen = [session, work]() -> Result<> {
      session->grantee.was_granted = work == revoke;
      return session->tools.with_keys(
          session->place, session->grantee,
          [&](service::KeyAdmin& keys, model::Scope const& grantee, Time now) {
            return work(
                {session->key, grantee, {operator_of("vitrine keys"), now}, session->tools.out},
                keys);
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
