// The backups that a job made of a whole server are removed after the image that it made them for
// (contract: ims-api 10.3). No client asks for this job: the deletion of the image hands it in.
#pragma once

#include "jobs/kinds/capture_image.hpp"

namespace vitrine::jobs {

inline constexpr std::string_view kRemoveBackups = "imsDeleteImageBackupsJob";

/// The order to remove those of an image that is being deleted. Without a mandate nobody is asked:
/// the job tells why they stay.
Order remove_backups_order(model::Image const& image, Result<model::Mandate> const& mandate);

JobKind remove_backups_kind(CaptureServices const& services);

} // namespace vitrine::jobs
