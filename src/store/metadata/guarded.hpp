// Runs a unit of work of which nothing is known.
#pragma once

#include "ops/log.hpp"
#include "store/metadata/database.hpp"

#include <exception>

namespace vitrine::store {

/// A unit that throws is a bug of its own: it fails alone, with `internal`.
inline Result<> run_guarded(Database::Work const& work, Connection& connection) {
  try {
    return work(connection);
  } catch (std::exception const& bug) {
    ops::log_error("database.unit_threw", {{"detail", bug.what()}});
    return error(Fault::internal);
  }
}

} // namespace vitrine::store
