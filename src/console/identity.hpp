// `vitrine identity …`: users, projects, roles, grants and keys from the command line, on the
// database itself, also while a server runs on it; the server believes tokens it has checked for
// `token_cache_seconds` more.
#pragma once

#include "base/result.hpp"
#include "console/place.hpp"

#include <functional>
#include <iosfwd>
#include <string>

namespace CLI {
class App;
}
namespace vitrine::identity::builtin {
class Directory;
}

namespace vitrine::console {

/// What the commands work with.
struct IdentityTools {
  using Use = std::function<Result<>(identity::builtin::Directory&)>;
  /// Opens the prepared directory of that place and lets `use` work on it.
  std::function<Result<>(Place const& place, Use const& use)> with_directory;
  /// Reads a password that is not shown; from a terminal it asks twice. Error: `invalid_value`.
  std::function<Result<std::string>()> read_password;
  std::ostream& out;
};

/// Adds the command `identity` to a program. When the line was parsed and names one of its
/// commands, `chosen` holds the work to do; it stays as it is otherwise.
void add_identity_commands(CLI::App& program, std::function<Result<>()>& chosen,
                           IdentityTools tools);

/// Reads a line from standard input; asks twice, without echo, when that is a terminal.
Result<std::string> read_password_from_stdin();

} // namespace vitrine::console
