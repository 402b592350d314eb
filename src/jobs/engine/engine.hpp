// The job engine: workers that claim jobs by lease, run their kind, and end or retry them.
//
// A job is claimed for a limited time (the lease), which is extended while its worker lives and the
// job shows signs of life: one that hangs is given to another worker. Every
// unit of work proves the lease in its own transaction, so a worker that lost it changes nothing
// more. What a unit did and the record that it did it are one commit: a job that is taken up again
// skips what is recorded.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "jobs/engine/bell.hpp"
#include "jobs/engine/context.hpp"
#include "jobs/kinds/kinds.hpp"
#include "ops/metrics.hpp"
#include "store/metadata/database.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace vitrine::jobs {

struct EngineOptions {
  std::int64_t workers{2};  ///< of quick jobs
  std::int64_t carriers{2}; ///< of those that carry image data
  std::int64_t lease_seconds{30};
  std::int64_t poll_seconds{1}; ///< how often idle workers look for jobs of other processes
  /// In a row that end with their worker, without progress. What another service did not answer
  /// counts only once the job has run for a day.
  std::int64_t attempts_max{20};
  bool alone{true}; ///< no other process works on the database
  /// Whether jobs that carry image data may begin here now; always, if it is not set.
  std::function<bool()> may_carry{};
};

/// Thread-safe. Everything passed in must outlive it.
class Engine {
public:
  Engine(store::Database& database, Clock const& clock, Bell& bell, std::vector<JobKind> kinds,
         ops::Metrics& metrics, EngineOptions options);
  ~Engine(); ///< stops

  /// Frees the jobs that a process before this one held; before `start`. Where others work on the
  /// database it leaves them: leases must run out.
  Result<> take_over();
  void start();
  /// Hands running jobs back at their next commit and ends the workers. May be called twice.
  void stop();

  /// Runs the next job of a lane on the calling thread; false when there is none. The workers do
  /// nothing else.
  Result<bool> run_next(model::JobLane lane);

private:
  using Held = std::pair<std::string, std::string>; ///< job and worker
  struct Running {
    JobContext::Lease const* lease;
    bool hangs{false}; ///< it was told
  };
  using Rest =
      std::optional<std::int64_t>; ///< microseconds until the next attempt, if there is one

  void work(model::JobLane lane);
  [[nodiscard]] JobKind const* kind_of(model::Job const& job) const;
  bool hold(model::Job const& job, Held const& held, JobContext::Lease const& lease);
  void let_go(model::Job const& job, Held const& held);
  std::vector<Held> living();
  void keep_leases();
  void run(model::Job const& job, JobContext::Lease const& lease);
  Result<Rest> attempt(model::Job const& job, model::Caller const& caller,
                       JobContext::Lease const& lease);
  Result<> settle(model::Job const& job, JobContext::Lease const& lease,
                  Result<Rest> const& outcome);
  Result<> end(model::Job const& job, JobContext::Lease const& lease,
               std::optional<Error> const& failed);
  void count_end(model::Job const& job, model::JobStatus status, std::int64_t succeeded);
  [[nodiscard]] std::int64_t lease_us() const {
    return options_.lease_seconds * kMicrosecondsPerSecond;
  }

  store::Database& database_;
  Clock const& clock_;
  Bell& bell_;
  std::vector<JobKind> const kinds_;
  std::vector<std::string_view> const kind_names_;
  ops::Metrics& metrics_;
  EngineOptions const options_;

  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;
  std::mutex held_mutex_;
  std::condition_variable stopped_;
  std::map<Held, Running> held_;
  bool suspect_held_{false};
};

} // namespace vitrine::jobs
