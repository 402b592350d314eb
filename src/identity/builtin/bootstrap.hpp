// The accounts that `serve --standalone` makes on its first start, and the file that tells their
// passwords.
#pragma once

#include "base/result.hpp"
#include "identity/builtin/clouds.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vitrine::identity::builtin {

class Directory;

struct Bootstrap {
  std::string clouds_file; ///< DIR/clouds.yaml
  bool demo{
      false}; ///< also demo, alt, third (members of projects of their name) and viewer (reads demo)
  std::string region;
};

/// Prepares the directory and makes the accounts that are missing, each with a random password. A
/// later start may add the demo accounts. Passwords are in a draft of the file before their user
/// exists, so a start that was cut short is completed by the next. Of servers that start together
/// on one database one makes the accounts, and its file alone tells them. Accounts whose password
/// is in no file (changed by their users, or lost) are left alone. Returns the clouds for
/// `announce`. A file that cannot be read as clouds is left as it is, with a warning in the log.
/// Errors: `invalid_value` for such a file when passwords have to go there, `unavailable`.
Result<std::vector<Cloud>> bootstrap(Directory& directory, Bootstrap const& wanted);

/// Tells in the file where clients reach the service now: `url`, as printed when ready or
/// configured, without a slash at the end.
Result<> announce(Bootstrap const& wanted, std::vector<Cloud> const& clouds, std::string_view url);

/// `url` with a host that this machine reaches: the loopback address in place of `0.0.0.0` and
/// `[::]`.
std::string reachable_url(std::string_view url);

} // namespace vitrine::identity::builtin
