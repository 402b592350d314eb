// On whose behalf the work of a job is done.
#pragma once

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "model/caller.hpp"

namespace vitrine::service {

/// Who asked, by which job, and when this step is made.
struct Batch {
  model::Caller const& caller;
  JobId const& job;
  Time now;
};

} // namespace vitrine::service
