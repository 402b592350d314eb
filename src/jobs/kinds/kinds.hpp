// The kinds of jobs there are. A new one is a file here and a line in kinds.cpp.
#pragma once

#include "base/result.hpp"
#include "jobs/engine/context.hpp"

#include <functional>
#include <string_view>
#include <vector>

namespace vitrine::service {
class Copies;
class Encryption;
class Exports;
class Imports;
class Sharing;
class Uploads;
} // namespace vitrine::service
namespace vitrine::store {
class Buckets;
class Database;
} // namespace vitrine::store

namespace vitrine::jobs {

struct JobKind {
  std::string_view name; ///< contract: job-types.tsv
  /// Does the work, or what an earlier attempt left of it. Success: the items tell how the job
  /// ends. An error of the kind `unavailable`: another attempt follows; any other ends the job with
  /// it.
  std::function<Result<>(JobContext&)> run;
  /// The job is given up for that error of `run`: tells the audit trail, and takes back or ends as
  /// failed what `run` left. Returns as `run` does how the job ends, or that it rests: then `run`
  /// is called again. None: it ends with the error.
  std::function<Result<>(JobContext&, Error const&)> give_up{};
  /// Attempts that end as `unavailable` count at once: how often others may be silent is for the
  /// kind to say.
  bool counts_silence{false};
};

/// What the kinds work with; must outlive them.
struct KindServices {
  service::Sharing& sharing;
  service::Copies const& copies;
  service::Imports const& imports;
  service::Exports const& exports;
  service::Encryption const& encryption;
  service::Uploads& uploads;
  store::Database& database;
  store::Buckets& buckets;
};

std::vector<JobKind> all_kinds(KindServices const& services);

} // namespace vitrine::jobs
