#include "console/database.hpp"

#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>
#include <utility>

namespace vitrine::console {
namespace {

struct Asked {
  DatabaseTools tools;
  std::string config_file{};
  DatabaseTools::Move move{};
  bool contract{false};
};

Result<> upgrade(Asked const& asked) {
  auto const steps = TRY(asked.tools.upgrade(asked.config_file, asked.contract));
  for (auto const& step : steps)
    asked.tools.out << "applied " << step << "\n";
  if (steps.empty()) asked.tools.out << "up to date\n";
  return {};
}

Result<> move(Asked const& asked) {
  return asked.tools.move(asked.move, [&](std::string const& line) {
    asked.tools.out << line << std::endl;
  }); // each as it comes
}

void add_move(CLI::App& database, std::function<Result<>()>& chosen,
              std::shared_ptr<Asked> const& asked) {
  auto* command = database.add_subcommand(
      "move", "Copy a service from its directory into an empty PostgreSQL and its store");
  command->add_option("--standalone", asked->move.directory, "Directory to move from")->required();
  command->add_option("--config", asked->move.config_file, "TOML file that says where to")
      ->required();
  command->add_option("--projects", asked->move.projects_file,
                      "File with a line OLD NEW for each project, for a move to a Keystone");
  command->callback([asked, &chosen] { chosen = [asked] { return move(*asked); }; });
}

} // namespace

void add_database_commands(CLI::App& program, std::function<Result<>()>& chosen,
                           DatabaseTools tools) {
  auto const asked = std::make_shared<Asked>(std::move(tools));
  auto* database = program.add_subcommand("db", "The PostgreSQL database of the service");
  database->require_subcommand(1);
  auto* command = database->add_subcommand(
      "upgrade", "Bring its schema up to date, as servers do at their start");
  command->add_option("--config", asked->config_file, "TOML file of the service");
  command->add_flag("--contract", asked->contract,
                    "Also take away what only older releases need; none of them may run any more");
  command->callback([asked, &chosen] { chosen = [asked] { return upgrade(*asked); }; });
  add_move(*database, chosen, asked);
}

} // namespace vitrine::console
