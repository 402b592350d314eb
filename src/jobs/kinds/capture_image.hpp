// The jobs that make images from servers, volumes and backups: what they are asked for.
#pragma once

#include "jobs/kinds/kinds.hpp"
#include "jobs/submit.hpp"
#include "model/mandates.hpp"
#include "service/captures.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace vitrine::cloud {
class Backups;
class Compute;
class Volumes;
} // namespace vitrine::cloud

namespace vitrine::jobs {

inline constexpr std::string_view kCaptureServer = "imsCreateImageByInstance";
inline constexpr std::string_view kCaptureVolume = "imsVolumeCreateImageJob";
inline constexpr std::string_view kCaptureVolumes = "imsVolumesToSysDataImagesJob";
inline constexpr std::string_view kCopyVolume = "imsCopyVolumeToImageJob"; ///< of its sub jobs
inline constexpr std::string_view kCaptureWholeServer = "imsCreateWholeImageByInstanceJob";
inline constexpr std::string_view kCaptureBackup = "imsCreateWholeImageByBackupJob";

struct CaptureOptions {
  bool require_stopped{false};       ///< servers must be SHUTOFF
  std::int64_t wait_seconds{21'600}; ///< for other services, before the job fails
};

/// What the kinds work with; must outlive them.
struct CaptureServices {
  service::Captures const& captures;
  model::Mandates& mandates;
  cloud::Compute& compute;
  cloud::Volumes& volumes;
  cloud::Backups& backups;
  store::Database& database;
  CaptureOptions options;
};

std::vector<JobKind> capture_kinds(CaptureServices const& services);

/// The order to make an image, of the kind that the source says: not of `data_volume`.
Order capture_order(service::Captures const& captures, service::CaptureRequest const& request,
                    model::Mandate const& mandate);
/// The order to make an image of each of these data volumes, with a sub job for each.
Order captures_order(service::Captures const& captures,
                     std::vector<service::CaptureRequest> const& requests,
                     model::Mandate const& mandate);

} // namespace vitrine::jobs
