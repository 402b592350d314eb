// `vitrine keys …`: the keys that images are encrypted with, from the command line, also while a
// server runs.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/identity.hpp"

#include <functional>
#include <iosfwd>
#include <string>

namespace CLI {
class App;
}
namespace vitrine::service {
class KeyAdmin;
}

namespace vitrine::console {

/// What the commands work with.
struct KeyTools {
  struct Place {
    std::string standalone;  ///< --standalone, empty when there is none
    std::string config_file; ///< --config, empty when there is none
  };
  /// Who a key is for; both empty where the command is about no grant.
  struct Grantee {
    std::string project;     ///< its id, or its name where that is known
    std::string domain;      ///< as `project`
    bool was_granted{false}; ///< a grant to any text may have been made
  };
  using Use = std::function<Result<>(service::KeyAdmin&, model::Scope const& grantee, Time now)>;
  /// Opens the keys of a service and lets `use` work on them.
  std::function<Result<>(Place const& place, Grantee const& grantee, Use const& use)> with_keys;
  std::ostream& out;
};

/// Adds the command `keys` to a program. When the line was parsed and names one of its commands,
/// `chosen` holds the work to do; it stays as it is otherwise.
void add_key_commands(CLI::App& program, std::function<Result<>()>& chosen, KeyTools tools);

} // namespace vitrine::console
