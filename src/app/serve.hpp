// `vitrine serve`: builds stores, services, workers and the server in order, and ends them in
// reverse.
#pragma once

#include "base/result.hpp"
#include "ops/config.hpp"

#include <string>

namespace vitrine::app {

struct ServeOptions {
  std::string directory; ///< of --standalone
  bool demo{false};      ///< also the demo accounts
};

/// Serves until SIGTERM or SIGINT, then drains. Prints `ready http://HOST:PORT` when it answers.
/// Errors: `unavailable` with the reason when it cannot start.
Result<> serve(ops::Config const& config, ServeOptions const& options);

} // namespace vitrine::app
