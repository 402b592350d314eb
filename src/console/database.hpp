// `vitrine db …`: the database from the command line.
#pragma once

#include "base/result.hpp"

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace vitrine::console {

/// What the commands work with.
struct DatabaseTools {
  /// Brings the schema of the database that the configuration names up to date; also takes away
  /// what only older releases need when `contract`. Returns the names of the steps.
  std::function<Result<std::vector<std::string>>(std::string const& config_file, bool contract)>
      upgrade;
  struct Move {
    std::string directory;
    std::string config_file;
    std::string projects_file; ///< empty where projects keep their ids
  };
  /// Copies the service of a directory to where the configuration keeps it, and tells of it.
  std::function<Result<>(Move const& move,
                         std::function<void(std::string const& line)> const& tell)>
      move;
  std::ostream& out;
};

/// Adds the command `db` to a program. When the line was parsed and names one of its commands,
/// `chosen` holds the work to do; it stays as it is otherwise.
void add_database_commands(CLI::App& program, std::function<Result<>()>& chosen,
                           DatabaseTools tools);

} // namespace vitrine::console
