#include "jobs/engine/engine.hpp"

#include "jobs/engine/caller_json.hpp"
#include "jobs/kinds/pairs.hpp"
#include "ops/log.hpp"
#include "store/metadata/jobs.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <fmt/format.h>

namespace vitrine::jobs {
namespace {

// Workers of jobs that ask other services: an attempt takes no longer than a few questions.
constexpr std::int64_t kAskers = 2;
constexpr std::int64_t kBackOffMin_us = 500'000;
constexpr std::int64_t kBackOffMax_us = 60 * kMicrosecondsPerSecond;
// An outage of what a job needs is waited out for so long, counted from when the job began.
constexpr std::int64_t kOutageMax_us = 24 * 3600 * kMicrosecondsPerSecond;
// A job that was there when so many workers ended may be why they did.
constexpr std::int64_t kSuspectAttempts = 3;

// A job without a sign of life for so many leases, and no less than that time, hangs. The longest
// step of one that does not: a store that completes an object is waited for three times 5 minutes.
constexpr std::int64_t kSilentLeases = 10;
constexpr std::int64_t kSilenceMin_us = 20 * 60 * kMicrosecondsPerSecond;

bool is_suspect(model::Job const& job) { return job.attempt > kSuspectAttempts; }

std::int64_t back_off_us(std::int64_t attempt) {
  auto const doublings = std::clamp<std::int64_t>(attempt - 1, 0, 10);
  return std::min(kBackOffMax_us, kBackOffMin_us << doublings);
}

/// Where attempts do not count: the longer a job has run, the less another minute matters to it.
std::int64_t back_off_by_age_us(std::int64_t age_us) {
  return std::clamp(age_us / 20, kBackOffMin_us, kBackOffMax_us);
}

std::vector<std::string_view> names_of(std::vector<JobKind> const& kinds) {
  std::vector<std::string_view> names;
  for (auto const& kind : kinds)
    names.push_back(kind.name);
  return names;
}

struct Outcome {
  std::optional<Error> first;
  std::int64_t succeeded{0};
};

/// How the pairs ended: the first failure in the order of the request, and how many succeeded. Any
/// other job is one thing, which has not failed so far.
Result<Outcome> outcome_of(store::Jobs& jobs, model::Job const& job) {
  auto const& id = job.id;
  Outcome outcome;
  if (!works_on_pairs(job.kind)) return outcome;
  outcome.succeeded = TRY(jobs.get(id)).done;
  for (auto const& item : TRY(jobs.items(id))) {
    auto const failures = TRY(failures_from_json(item.failures_json));
    outcome.succeeded -= static_cast<std::int64_t>(failures.size());
    if (!failures.empty() && !outcome.first) outcome.first = error(failures.front().fault);
  }
  return outcome;
}

/// Runs a part of a kind. Error of what it throws: `internal`.
template <class Part>
Result<> call(JobContext& context, Part const& part) {
  try {
    return part();
  } catch (std::exception const& bug) {
    ops::log_error("job.threw", {{"job_id", context.job().id.text}, {"detail", bug.what()}});
    return error(Fault::internal);
  }
}

} // namespace

Engine::Engine(store::Database& database, Clock const& clock, Bell& bell,
               std::vector<JobKind> kinds, ops::Metrics& metrics, EngineOptions options)
    : database_(database), clock_(clock), bell_(bell), kinds_(std::move(kinds)),
      kind_names_(names_of(kinds_)), metrics_(metrics), options_(options) {}

Engine::~Engine() { stop(); }

Result<> Engine::take_over() {
  if (!options_.alone) return {};
  auto const freed = TRY(database_.write(
      [](store::Connection& connection) { return store::Jobs(connection).release_all(); }));
  if (freed > 0) {
    metrics_.counter(ops::Metric::jobs_rescued).add(static_cast<std::uint64_t>(freed));
    ops::log_info("jobs.taken_over", {{"count", freed}});
  }
  return {};
}

void Engine::start() {
  for (std::int64_t i = 0; i < options_.workers; ++i)
    threads_.emplace_back([this] { work(model::JobLane::quick); });
  for (std::int64_t i = 0; i < options_.carriers; ++i)
    threads_.emplace_back([this] { work(model::JobLane::carrying); });
  for (std::int64_t i = 0; i < kAskers; ++i)
    threads_.emplace_back([this] { work(model::JobLane::asking); });
  threads_.emplace_back([this] { keep_leases(); });
}

void Engine::stop() {
  {
    std::lock_guard const lock(held_mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  bell_.ring();
  for (auto& thread : threads_)
    thread.join();
  threads_.clear();
}

void Engine::work(model::JobLane lane) {
  while (!stopping_) {
    auto const heard = bell_.rings();
    auto const ran = run_next(lane);
    if (ran && *ran) {
      bell_.ring(); // a job that had to come after this one may run now
      continue;
    }
    if (!ran) ops::log_error("jobs.claim_failed", {{"detail", text_of(ran.error().fault)}});
    bell_.wait(heard, std::chrono::seconds(options_.poll_seconds));
  }
}

/// The jobs whose leases are to be kept; `held_mutex_` is locked.
std::vector<Engine::Held> Engine::living() {
  auto const silence_us = std::max(kSilenceMin_us, kSilentLeases * lease_us());
  auto const since_us = clock_.now().us - silence_us;
  std::vector<Held> living;
  for (auto& [held, running] : held_) {
    bool const hangs = running.lease->sign_of_life_us < since_us;
    if (!hangs) living.push_back(held);
    if (hangs && !running.hangs) {
      ops::log_error("job.hangs", {{"job_id", held.first},
                                   {"silent_seconds", silence_us / kMicrosecondsPerSecond}});
    }
    running.hangs = hangs;
  }
  return living;
}

void Engine::keep_leases() {
  auto const pause =
      std::chrono::milliseconds(std::max<std::int64_t>(1, options_.lease_seconds * 1000 / 3));
  std::unique_lock lock(held_mutex_);
  while (!stopping_) {
    stopped_.wait_for(lock, pause, [&] { return stopping_.load(); });
    auto const held = living();
    if (stopping_ || held.empty()) continue;
    lock.unlock();
    auto const kept = database_.write([&](store::Connection& connection) -> Result<> {
      for (auto const& [job, worker] : held) {
        TRY(store::Jobs(connection).extend({job}, worker, clock_.now() + lease_us()));
      }
      return {};
    });
    if (!kept) ops::log_error("jobs.lease_not_kept", {{"detail", text_of(kept.error().fault)}});
    lock.lock();
  }
}

Result<bool> Engine::run_next(model::JobLane lane) {
  bool const carries = lane == model::JobLane::carrying;
  if (carries && options_.may_carry && !options_.may_carry()) return false;
  JobContext::Lease const lease{
      .worker = new_hex_id(), .length_us = lease_us(), .sign_of_life_us = clock_.now().us};
  auto const job = TRY(database_.write([&](store::Connection& connection) {
    auto const now = clock_.now();
    return store::Jobs(connection)
        .claim(lane, kind_names_, lease.worker, now, now + lease.length_us);
  }));
  if (!job) return false;
  Held const held{job->id.text, lease.worker};
  if (!hold(*job, held, lease)) {
    TRY(database_.write([&](store::Connection& connection) {
      return store::Jobs(connection)
          .hand_back(job->id, lease.worker, clock_.now() + lease.length_us);
    }));
    return true;
  }
  auto& running = metrics_.gauge(ops::Metric::jobs_running);
  running.add(1);
  run(*job, lease);
  running.add(-1);
  let_go(*job, held);
  return true;
}

/// False when the job must not run beside another one: of two that were there each time when a
/// worker ended, one may end it again, and the other must not count that as its own attempt.
bool Engine::hold(model::Job const& job, Held const& held, JobContext::Lease const& lease) {
  std::lock_guard const lock(held_mutex_);
  if (is_suspect(job)) {
    if (suspect_held_) return false;
    suspect_held_ = true;
  }
  held_.emplace(held, Running{&lease});
  return true;
}

void Engine::let_go(model::Job const& job, Held const& held) {
  std::lock_guard const lock(held_mutex_);
  if (is_suspect(job)) suspect_held_ = false;
  held_.erase(held);
}

void Engine::run(model::Job const& job, JobContext::Lease const& lease) {
  auto const caller = caller_from_json(job.caller_json);
  ops::LogRequestScope const scope(caller ? caller->request_id : std::string_view());
  auto const outcome = caller ? attempt(job, *caller, lease) : Result<Rest>(Error(caller.error()));
  auto const settled = settle(job, lease, outcome);
  // The lease of a job that cannot be settled runs out; then another attempt begins.
  if (!settled) {
    ops::log_error("job.not_settled",
                   {{"job_id", job.id.text}, {"detail", text_of(settled.error().fault)}});
  }
}

/// Null for one that this server does not know.
JobKind const* Engine::kind_of(model::Job const& job) const {
  auto const found = std::ranges::find(kinds_, std::string_view(job.kind), &JobKind::name);
  return found == kinds_.end() ? nullptr : &*found;
}

Result<Engine::Rest> Engine::attempt(model::Job const& job, model::Caller const& caller,
                                     JobContext::Lease const& lease) {
  auto const* const kind = kind_of(job);
  if (kind == nullptr) return error(Fault::not_offered, "no server knows " + job.kind);
  JobContext context(database_, clock_, stopping_, job, caller, lease);
  auto const most = options_.attempts_max;
  auto const tried =
      job.attempt > most
          ? Result<>(error(Fault::internal, fmt::format("given up after {} attempts", most)))
          : call(context, [&] { return kind->run(context); });
  if (tried) return context.rest_us();
  if (tried.error().kind() == Kind::unavailable || !kind->give_up) return Error(tried.error());
  if (job.attempt > 2 * most) return Error(tried.error()); // giving it up ends its worker, too
  ops::log_warning("job.given_up",
                   {{"job_id", job.id.text}, {"detail", text_of(tried.error().fault)}});
  auto const given_up = call(context, [&] { return kind->give_up(context, tried.error()); });
  if (!given_up) return Error(given_up.error());
  return context.rest_us();
}

Result<> Engine::settle(model::Job const& job, JobContext::Lease const& lease,
                        Result<Rest> const& outcome) {
  if (outcome && !*outcome) return end(job, lease, std::nullopt);
  if (outcome) {
    return database_.write([&](store::Connection& connection) {
      return store::Jobs(connection).rest(job.id, lease.worker, clock_.now() + **outcome);
    });
  }
  auto const& failed = outcome.error();
  if (failed.fault == Fault::lease_lost) {
    ops::log_warning("job.lease_lost", {{"job_id", job.id.text}});
    return {};
  }
  if (failed.kind() != Kind::unavailable) return end(job, lease, failed);
  ops::log_warning("job.handed_back", {{"job_id", job.id.text}, {"detail", failed.detail}});
  return database_.write([&](store::Connection& connection) {
    store::Jobs jobs(connection);
    auto const now = clock_.now();
    if (stopping_) return jobs.hand_back(job.id, lease.worker, now);
    auto const age_us = now.us - job.began_at.value_or(now).us;
    auto const* const kind = kind_of(job);
    if (age_us < kOutageMax_us && !(kind != nullptr && kind->counts_silence)) {
      return jobs.hand_back(job.id, lease.worker, now + back_off_by_age_us(age_us));
    }
    return jobs.release(job.id, lease.worker, now + back_off_us(job.attempt));
  });
}

Result<> Engine::end(model::Job const& job, JobContext::Lease const& lease,
                     std::optional<Error> const& failed) {
  auto status = model::JobStatus::success;
  auto const ended = database_.write([&](store::Connection& connection) -> Result<Outcome> {
    store::Jobs jobs(connection);
    auto found = TRY(outcome_of(jobs, job));
    if (failed) found.first = failed;
    status = found.first ? model::JobStatus::fail : model::JobStatus::success;
    if (!TRY(jobs.end(job, lease.worker, status, clock_.now(), found.first))) {
      return error(Fault::lease_lost);
    }
    if (found.first) TRY(jobs.end_sub_jobs(job, clock_.now(), *found.first));
    return found;
  });
  if (!ended) return Error(ended.error());
  count_end(job, status, ended->succeeded);
  return {};
}

void Engine::count_end(model::Job const& job, model::JobStatus status, std::int64_t succeeded) {
  auto const took_us = clock_.now().us - job.submitted_at.us;
  metrics_.counter(ops::Metric::jobs_ended, {job.kind, name_of(status)}).add();
  metrics_.histogram(ops::Metric::job_seconds, {job.kind})
      .observe(static_cast<double>(took_us) / static_cast<double>(kMicrosecondsPerSecond));
  bool const of_pairs = works_on_pairs(job.kind);
  auto const items = of_pairs ? job.total : 1;
  if (!of_pairs) succeeded = status == model::JobStatus::success ? 1 : 0;
  auto const failed = items - succeeded;
  metrics_.counter(ops::Metric::job_items, {job.kind, "success"})
      .add(static_cast<std::uint64_t>(succeeded));
  metrics_.counter(ops::Metric::job_items, {job.kind, "failed"})
      .add(static_cast<std::uint64_t>(failed));
  ops::log_info("job.ended", {{"job_id", job.id.text},
                              {"kind", job.kind},
                              {"status", name_of(status)},
                              {"items", items},
                              {"failed", failed},
                              {"milliseconds", took_us / 1000}});
}

} // namespace vitrine::jobs
