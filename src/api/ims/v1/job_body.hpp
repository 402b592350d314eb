// A job as clients read it, the same from both of its paths (contract: ims-api 4.1).
#pragma once

#include "jobs/submit.hpp"

#include <string>

namespace vitrine::api::ims {

std::string job_body(jobs::JobReport const& report);

} // namespace vitrine::api::ims
