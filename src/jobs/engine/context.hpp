// What a job kind may use while it runs: who asked, what is done already, and units of work that
// take effect only while the lease is held.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/caller.hpp"
#include "model/job.hpp"
#include "store/metadata/database.hpp"
#include "store/metadata/jobs.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>

namespace vitrine::jobs {

/// One attempt of one job. Used by the thread that runs it.
class JobContext {
public:
  struct Lease {
    std::string worker; ///< made anew for each claim, so that it also numbers the attempts
    std::int64_t length_us{0};
    /// When the attempt last showed that it goes on. Thread-safe: the engine looks at it.
    mutable std::atomic<std::int64_t> sign_of_life_us{0};
  };

  JobContext(store::Database& database, Clock const& clock, std::atomic<bool> const& stopping,
             model::Job const& job, model::Caller const& caller, Lease const& lease)
      : database_(database), clock_(clock), stopping_(stopping), job_(job), caller_(caller),
        lease_(lease) {}

  [[nodiscard]] model::Job const& job() const noexcept { return job_; }
  [[nodiscard]] model::Caller const& caller() const noexcept { return caller_; }
  [[nodiscard]] Time now() const { return clock_.now(); }
  /// For what takes long between two commits: the next one will fail. Thread-safe.
  [[nodiscard]] bool stopping() const {
    show_life();
    return stopping_;
  }

  /// Runs `work` on one consistent snapshot.
  Result<> read(store::Database::Work const& work) {
    show_life();
    return database_.read(work);
  }
  /// Reads which positions earlier attempts finished.
  Result<std::set<std::int64_t>> finished_positions();
  /// Sets how many units earlier attempts finished; the stored progress follows with each commit.
  void resume_at(std::int64_t done) noexcept { done_ = done; }

  /// Runs `work` in one transaction together with the proof of the lease and the progress of
  /// `units` more: an attempt that finds them done must not do them again. They count as progress:
  /// the attempts before are forgotten. Each unit may be told once, or a job that always ends its
  /// worker would be tried for ever; 0 for what another attempt repeats. Errors, after which
  /// nothing of it is stored: `lease_lost`; `unavailable` when the server stops; what `work`
  /// returned. `outcome_unknown`: it may be stored.
  Result<> commit(std::int64_t units, store::Database::Work const& work);

  /// Tells how far this attempt is, at most once a second: another would begin anew. `also` runs in
  /// the same transaction. Errors: `lease_lost`; `unavailable` when the server stops.
  Result<> advance(std::int64_t done, std::int64_t total, store::Database::Work const& also = {});

  /// This attempt ends without an outcome once the kind returns success: another follows in so
  /// many seconds, the shortest time that was asked for. For what others do meanwhile.
  void rest(std::int64_t seconds) noexcept {
    auto const asked = seconds * kMicrosecondsPerSecond;
    rest_us_ = std::min(rest_us_.value_or(asked), asked);
  }
  [[nodiscard]] std::optional<std::int64_t> rest_us() const noexcept { return rest_us_; }

private:
  /// An attempt that does not get here for long loses its lease (engine.cpp).
  void show_life() const { lease_.sign_of_life_us = clock_.now().us; }

  store::Database& database_;
  Clock const& clock_;
  std::atomic<bool> const& stopping_;
  model::Job const& job_;
  model::Caller const& caller_;
  Lease const& lease_;
  std::int64_t done_{0};
  Time advanced_at_{};
  std::optional<std::int64_t> rest_us_;
};

} // namespace vitrine::jobs
