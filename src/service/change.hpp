// Who changes something by hand.
#pragma once

#include "base/clock.hpp"
#include "model/caller.hpp"

namespace vitrine::service {

/// An operator's change of what no request of a user changes, as the audit trail tells of it.
struct Change {
  model::Caller by;
  Time time; ///< by the clock of the servers (decision 0036)
};

} // namespace vitrine::service
