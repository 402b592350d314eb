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
  std::string project;
};

/// The clouds of the file at `path`; none when there is no file. Only what `write_clouds` writes is
/// read. Error: `unavailable` when the file cannot be read.
Result<std::vector<Cloud>> read_clouds(std::string const& path);

/// Replaces the file in one step; mode 0600. `auth_url` ends in /v3. Error: `unavailable`.
Result<> write_clouds(std::string const& path, std::vector<Cloud> const& clouds,
                      std::string const& auth_url, std::string const& region);

} // namespace vitrine::identity::builtin
