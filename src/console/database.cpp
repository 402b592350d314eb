#include "console/database.hpp"

#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>
#include <utility>

namespace vitrine::console {
namespace {

struct Upgrading {
  DatabaseTools tools;
  std::string config_file;
  bool contract{false};
};

Result<> upgrade(Upgrading const& asked) {
  auto const steps = TRY(asked.tools.upgrade(asked.config_file, asked.contract));
  for (auto const& step : steps)
    asked.tools.out << "applied " << step << "\n";
  if (steps.empty()) asked.tools.out << "up to date\n";
  return {};
}

} // namespace

void add_database_commands(CLI::App& program, std::function<Result<>()>& chosen,
                           DatabaseTools tools) {
  auto const asked = std::make_shared<Upgrading>(std::move(tools));
  auto* database = program.add_subcommand("db", "The PostgreSQL database of the service");
  database->require_subcommand(1);
  auto* command = database->add_subcommand(
      "upgrade", "Bring its schema up to date, as servers do at their start");
  command->add_option("--config", asked->config_file, "TOML file of the service");
  command->add_flag("--contract", asked->contract,
                    "Also take away what only older releases need; none of them may run any more");
  command->callback([asked, &chosen] { chosen = [asked] { return upgrade(*asked); }; });
}

} // namespace vitrine::console
