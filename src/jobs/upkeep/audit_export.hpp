// Moves audit events from the database to a file of JSON lines, each exactly once.
//
// The file itself tells how far it got: every line carries the id of its row, which no row of any
// database shares, and the number of its target in it. Rows are forgotten only when their lines are
// on stable storage; after a crash the export goes on behind the last whole line, if the row of
// that line is still there; a file that knows nothing of the rows is gone on with as it is. A row
// that stands for the pairs of an image becomes one line a pair. Of several servers on one database
// each writes what it claimed to its own file (docs/decisions/0021-audit-trail.md).
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/result.hpp"
#include "ops/metrics.hpp"
#include "store/metadata/audit.hpp"
#include "store/metadata/database.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace vitrine::jobs {

/// How a failure is told in the trail.
struct AuditReason {
  int status;            ///< HTTP status
  std::string_view code; ///< IMG code
};

/// `export_pending` is for one thread at a time; `reopen` and `end_by` for any.
class AuditExport {
public:
  /// `in_job`: a job failed, or a pair of one; else a request.
  using Reason = std::function<AuditReason(Fault, bool in_job)>;
  using Deadline = std::chrono::steady_clock::time_point;

  struct Options {
    std::string path;
    std::string holder; ///< claims rows, and is the observer that events name; of one server, and
                        ///< its own after a restart
    Reason reason;
  };

  /// Opens or creates the file, for its owner alone, cuts a half-written last line off and finds
  /// the place to go on. Errors: `unavailable` with the system's words, or when the file does not
  /// end as a trail does: it is somebody else's, and stays as it is.
  static Result<std::unique_ptr<AuditExport>> open(store::Database& database, Clock const& clock,
                                                   Options options);
  ~AuditExport();
  /// Whether `open` would take the file at `path`, which it leaves as it is: one that is not there
  /// too. Errors as of `open`.
  static Result<> check(std::string const& path);

  /// Writes and forgets everything that is pending. Errors: `store_full` or `unavailable` when the
  /// file cannot be written (the events stay in the database) or not be opened anew (they went to
  /// the old one, and the next export tries again), those of the database.
  Result<> export_pending();
  /// From now on the events written are counted there. Before the first export.
  void count_into(ops::Metrics& metrics) noexcept { metrics_ = &metrics; }
  /// The file was moved away: the next export goes on in a new one.
  void reopen() noexcept { reopen_ = true; }
  /// From then on an export ends after some rows; what is left stays in the database.
  void end_by(Deadline deadline) noexcept { end_by_ = deadline; }

private:
  struct Place {
    std::string row;
    std::int64_t target{-1}; ///< last one written of that row
  };

  struct End {
    off_t whole_bytes; ///< up to the end of the last whole line
    bool is_cut;       ///< a part of a line follows
    std::optional<Place> place;
  };

  AuditExport(store::Database& database, Clock const& clock, Options options);
  static Result<End> read_end(int descriptor, std::string const& path);
  Result<> open_file();
  Result<> reopen_if_asked();
  Result<> find_place();
  static std::optional<Place> place_of_last(std::string_view lines);
  Result<bool> claim_new();
  Result<bool> export_some();
  Result<std::int64_t> append_lines(std::string& out, store::OutboxRow const& row,
                                    std::int64_t first) const;
  Result<> write_out(std::string const& lines);

  void count(store::OutboxRow const& row, std::int64_t events) const;

  store::Database& database_;
  Clock const& clock_;
  Options const options_;
  ops::Metrics* metrics_{nullptr};
  int descriptor_{-1};
  Place place_;
  std::atomic<bool> reopen_{false};
  std::atomic<Deadline> end_by_{Deadline::max()};
};

} // namespace vitrine::jobs
