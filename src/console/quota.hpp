// `vitrine quota …`: the limits of single projects from the command line, also while a server runs
// on the database.
#pragma once

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "console/place.hpp"

#include <functional>
#include <iosfwd>
#include <string>

namespace CLI {
class App;
}
namespace vitrine::service {
class Quotas;
}

namespace vitrine::console {

/// What the commands work with.
struct QuotaTools {
  struct Project {
    std::string text;    ///< its id, or its name where that is known
    bool was_set{false}; ///< a limit of any text may have been set
  };
  using Use = std::function<Result<>(service::Quotas&, ProjectId const&, Time now)>;
  /// Opens the limits of a service and lets `use` work on those of a project.
  std::function<Result<>(Place const& place, Project const& project, Use const& use)> with_quotas;
  std::ostream& out;
};

/// Adds the command `quota` to a program. When the line was parsed and names one of its commands,
/// `chosen` holds the work to do; it stays as it is otherwise.
void add_quota_commands(CLI::App& program, std::function<Result<>()>& chosen, QuotaTools tools);

} // namespace vitrine::console
