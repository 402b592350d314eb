// The jobs that bring a file from a bucket into an image: what they are asked for, and the work,
// which a job that makes several images does for each of them.
#pragma once

#include "jobs/engine/context.hpp"
#include "jobs/submit.hpp"
#include "service/imports.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace vitrine::jobs {

inline constexpr std::string_view kImportImage = "imsImportImageJob";
inline constexpr std::string_view kImportIso = "imsImportIsoFileImageJob";
inline constexpr std::string_view kImportData = "imsImportDataImageJob";
inline constexpr std::string_view kRegisterImage = "imsNativeImportImageJob";
/// Several images together; see import_images.hpp.
inline constexpr std::string_view kImportImages = "imsImportOvaImageJob";

/// A request as it is stored with its job.
std::string to_json(service::ImportRequest const& request);
/// Error: `internal` when the text is not what `to_json` wrote.
Result<service::ImportRequest> import_from_json(std::string_view arguments);

/// What the work needs; must outlive it.
struct ImportServices {
  service::Imports const& imports;
  service::Encryption const& encryption;
  service::Uploads& uploads;
  store::Buckets& buckets;
};

/// The row that tells of an image: that of the job, or of one of its sub jobs.
struct ImportTeller {
  model::Job const& row;
  std::int64_t position{0};        ///< of the sub job among the
  std::int64_t count{1};           ///< images of the job
  std::span<ImageId const> made{}; ///< before this one; without them nobody wants it

  /// How far a job is with one image of several, when that is done.
  static constexpr std::int64_t kUnits = 1000;
};

/// One attempt to make one image. False when an earlier one has made it. Errors: those of
/// `store::Buckets::open` and `stream`, `service::Imports::begin` and `adapt`, and of uploads;
/// `image_not_found` within a second of when the image, or one that was made before, is deleted.
Result<bool> import_one(JobContext& context, ImportServices const& services,
                        ImportTeller const& teller, service::ImportRequest const& request);

/// Is the job told with a sub job, which is itself? Error: `internal` for arguments of others.
Result<bool> has_sub_job(model::Job const& job);

/// How many jobs that make images from something else there may be.
FlowLimit create_limit();

/// The order to import, of one of these kinds.
Order import_order(std::string_view kind, model::Caller const& caller,
                   service::Imports const& imports, service::ImportRequest const& request);

} // namespace vitrine::jobs
