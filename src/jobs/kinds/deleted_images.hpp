// Images that somebody deletes while a job makes them: the job fails for that, whatever else came
// of it, and does not tell of them any more (contract: ims-api 4.3).
#pragma once

#include "base/result.hpp"
#include "model/job.hpp"
#include "store/metadata/connection.hpp"

namespace vitrine::jobs {

/// Whether the row of a job, or of a sub job, tells of an image that is not there, in a unit of
/// work.
Result<bool> is_image_deleted(store::Connection& connection, model::Job const& row);
/// `why` it failed, unless its image is deleted: then that.
Result<> find_reason(store::Connection& connection, JobId const& id, Error& why);

} // namespace vitrine::jobs
