// The file clouds.yaml of a directory: how the accounts made there log in. It is the only place
// that keeps the passwords made at the first start.
#pragma once

#include "base/result.hpp"

#include <optional>
#include <string>
#include <vector>

namespace vitrine::identity::builtin {

/// One cloud of the file, named as its user.
struct Cloud {
  std::string user;
  std::string password;
  std::string project; ///< by name; empty when the file tells it otherwise
};

/// The clouds of the file at `path` that are named as their user and have a password; none when
/// there is no file, or nothing in it. Errors: `unavailable` when the file cannot be read,
/// `invalid_value` when it holds something else than clouds, or more than base/yaml.hpp takes.
Result<std::vector<Cloud>> read_clouds(std::string const& path);

/// Adds these clouds to the file, or brings those of their names up to date, and leaves all else
/// that is in it, but for comments. Replaces the file in one step, mode 0600; one that is right is
/// not touched. `auth_url` ends in /v3. Errors as above; the file stays as it is then.
Result<> write_clouds(std::string const& path, std::vector<Cloud> const& clouds,
                      std::string const& auth_url, std::string const& region);

/// Keeps these clouds in a file beside it until `drop_draft`: passwords must be safe before anybody
/// has them, and are told in the file itself only once somebody does. Errors: those that
/// `write_clouds` would have.
Result<> draft_clouds(std::string const& path, std::vector<Cloud> const& clouds);
/// As `read_clouds`.
Result<std::vector<Cloud>> read_draft(std::string const& path);
/// Success also when there is none. Error: `unavailable`.
Result<> drop_draft(std::string const& path);

} // namespace vitrine::identity::builtin
