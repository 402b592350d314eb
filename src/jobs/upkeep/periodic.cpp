#include "jobs/upkeep/periodic.hpp"

#include "ops/log.hpp"

namespace vitrine::jobs {

Periodic::Periodic(std::string name, std::chrono::milliseconds pause,
                   std::function<Result<>()> duty, AtEnd at_end)
    : name_(std::move(name)), pause_(pause), duty_(std::move(duty)), at_end_(at_end),
      thread_([this] { loop(); }) {}

Periodic::~Periodic() { stop(); }

void Periodic::stop() {
  {
    std::lock_guard const lock(mutex_);
    stopping_ = true;
  }
  woken_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Periodic::loop() {
  for (bool last = false; !last;) {
    {
      std::unique_lock const lock(mutex_);
      last = stopping_;
      if (last && at_end_ == AtEnd::no_more) return;
    }
    report(duty_());
    std::unique_lock lock(mutex_);
    if (!last) woken_.wait_for(lock, pause_, [&] { return stopping_; });
  }
}

void Periodic::report(Result<> const& done) {
  std::optional<std::string> said;
  if (!done) said = done.error().detail.empty() ? text_of(done.error().fault) : done.error().detail;
  if (said == failure_) return;
  failure_ = std::move(said);
  if (failure_) return ops::log_error("upkeep.failed", {{"duty", name_}, {"detail", *failure_}});
  ops::log_info("upkeep.works_again", {{"duty", name_}});
}

} // namespace vitrine::jobs
