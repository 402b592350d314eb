// `vitrine db move`: a service outgrows its directory.
#pragma once

#include "base/result.hpp"
#include "ops/config.hpp"

#include <functional>
#include <string>

namespace vitrine::app {

struct MoveOptions {
  std::string directory;     ///< that the service is in
  std::string projects_file; ///< which projects of a Keystone its own ones are; may be empty
};

/// Copies what the directory holds to where `config` keeps it: rows into its PostgreSQL, which must
/// be empty, and image data into its store, unless that is the directory. Both are read back and
/// compared; of data that stays it is looked whether it is there, with its size. No server may run
/// on the directory, and none may have run on the new database. The directory stays as it is.
/// `tell` hears of the progress, line by line. Errors: `unavailable`, `invalid_value` and
/// `conflict` with the reason; the database is empty then, and the next run goes on.
Result<> move_service(MoveOptions const& options, ops::Config const& config,
                      std::function<void(std::string const& line)> const& tell);

} // namespace vitrine::app
