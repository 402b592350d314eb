// imsVolumesToSysDataImagesJob: an image of each of some volumes, with a sub job for each
// (contract: ims-api 6.3.4, job-types.tsv).
#pragma once

#include "jobs/kinds/capture_image.hpp"

namespace vitrine::jobs {

JobKind captures_kind(CaptureServices const& services);

} // namespace vitrine::jobs
