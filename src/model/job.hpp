// Long work as a row: what is to be done, how far it is, how it ended.
#pragma once

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::model {

/// The only words a client ever sees (decision L2).
enum class JobStatus : std::uint8_t { init, running, success, fail };

/// `INIT`, `RUNNING`, `SUCCESS`, `FAIL`.
std::string_view name_of(JobStatus status) noexcept;
std::optional<JobStatus> job_status_named(std::string_view name) noexcept;

/// Which workers run a job: those that carry image data are minutes at one, and the others must not
/// wait for them; those that ask other services may have to wait for an answer. No worker looks for
/// a sub job: that of its job does its work. Stored as numbers: new ones come last.
enum class JobLane : std::uint8_t { quick, carrying, sub_job, asking };

struct Job {
  JobId id;
  std::int64_t sequence{0}; ///< submission order
  std::string kind;         ///< contract: job-types.tsv, e.g. imsAddImageMembersJob
  ProjectId project;        ///< that submitted it; it alone may read it
  JobStatus status{JobStatus::init};
  std::string arguments_json; ///< everything the work needs
  std::string caller_json;    ///< who asked, for the audit trail
  JobId parent;               ///< of a sub job: the job that it is a part of
  Time submitted_at;
  std::optional<Time> began_at;
  std::optional<Time> ended_at;
  std::int64_t done{0};  ///< finished units
  std::int64_t total{0}; ///< units in all; 0 when unknown
  std::int64_t attempt{0};
  std::string worker;     ///< holder of the lease
  ImageId image;          ///< that it makes or works on, once there is one; its entities tell
  std::string image_name; ///< of that image, where the entities tell it
  std::string state_json; ///< what an attempt left for the next one; empty when nothing
  std::string secret;     ///< sealed; what it asks other services with, until it ends
  std::optional<Error> failure;
};

/// A part of a job that is told as a job of its own.
struct SubJob {
  std::string_view kind;
  std::string arguments_json;
  std::string image_name; ///< of the image that it makes
};

} // namespace vitrine::model
