// imsCopyImageInRegionJob: what it is asked for.
#pragma once

#include "jobs/submit.hpp"
#include "service/copies.hpp"

namespace vitrine::jobs {

/// The order to copy; judged once before it is taken, and again by the job.
Order copy_order(model::Caller const& caller, service::Copies const& copies,
                 service::CopyRequest request);

} // namespace vitrine::jobs
