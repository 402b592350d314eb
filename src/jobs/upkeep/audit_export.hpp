// Moves audit events from the database to a file of JSON lines, each exactly once.
//
// The file itself tells how far it got: every line carries the sequence of its row and the number
// of its target in it. Rows are forgotten only when their lines are on stable storage; after a
// crash the export goes on behind the last whole line. A row that stands for the pairs of an image
// becomes one line a pair. A file belongs to one database: the sequences of two would be mixed up.
#pragma once

#include "base/error.hpp"
#include "base/result.hpp"
#include "ops/metrics.hpp"
#include "store/metadata/audit.hpp"
#include "store/metadata/database.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace vitrine::jobs {

/// How a failure is told in the trail.
struct AuditReason {
  int status;            ///< HTTP status
  std::string_view code; ///< IMG code
};

/// `export_pending` is for one thread at a time; `reopen` for any, also a signal's.
class AuditExport {
public:
  using Reason = std::function<AuditReason(Fault)>;

  /// Opens or creates the file, for its owner alone, cuts a half-written last line off and finds
  /// the place to go on. Errors: `unavailable` with the system's words.
  static Result<std::unique_ptr<AuditExport>> open(store::Database& database, std::string path,
                                                   Reason reason);
  ~AuditExport();

  /// Writes and forgets everything that is pending. Errors: `store_full` or `unavailable` when the
  /// file cannot be written (the events stay in the database), those of the database.
  Result<> export_pending();
  /// From now on the events written are counted there. Before the first export.
  void count_into(ops::Metrics& metrics) noexcept { metrics_ = &metrics; }
  /// The file was moved away: the next export goes on in a new one.
  void reopen() noexcept { reopen_ = true; }

private:
  struct Place {
    std::int64_t sequence{0};
    std::int64_t target{-1}; ///< last one written of that row
  };

  AuditExport(store::Database& database, std::string path, Reason reason);
  Result<> open_file();
  Result<> find_place();
  Result<bool> number_new();
  Result<> write_out(std::string const& lines);

  void count(store::OutboxRow const& row, std::int64_t events) const;

  store::Database& database_;
  std::string const path_;
  Reason const reason_;
  ops::Metrics* metrics_{nullptr};
  int descriptor_{-1};
  Place place_;
  std::atomic<bool> reopen_{false};
};

} // namespace vitrine::jobs
