// Any database, with its transactions measured and its failures to write remembered.
#pragma once

#include "ops/metrics.hpp"
#include "ops/timer.hpp"
#include "store/metadata/database.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace vitrine::store {

class TimedDatabase final : public Database {
public:
  /// `metrics` must outlive it.
  TimedDatabase(std::unique_ptr<Database> inner, ops::Metrics& metrics)
      : inner_(std::move(inner)),
        reads_(metrics.histogram(ops::Metric::transaction_seconds, {"read"})),
        writes_(metrics.histogram(ops::Metric::transaction_seconds, {"write"})) {}

protected:
  Result<> do_read(Work const& work) override {
    ops::Timer const timer(reads_);
    return inner_->read(work);
  }
  Result<> do_read_single(Work const& work) override {
    ops::Timer const timer(reads_);
    return inner_->read_single(work);
  }
  bool do_read_later(LaterRead what, Work work, Done done) override {
    auto const began = std::chrono::steady_clock::now();
    return inner_->read_later(what, std::move(work),
                              [this, began, done = std::move(done)](Result<> const& ran) {
                                ops::observe_since(reads_, began);
                                done(ran);
                              });
  }
  /// A full disk can be read. So where the last unit could not be written, one is written first,
  /// and not before: looks are frequent, and a write waits for the disk.
  Result<> do_read_anew(Work const& work) override {
    if (write_failed_) {
      TRY(probe(std::string(kProbeBytes, '.')));
      TRY(probe(""));
      write_failed_ = false;
    }
    ops::Timer const timer(reads_);
    return inner_->read_anew(work);
  }
  Result<> do_write(Work const& work) override {
    ops::Timer const timer(writes_);
    auto done = inner_->write(work);
    if (!done && done.error().kind() == Kind::unavailable) write_failed_ = true;
    return done;
  }

private:
  // More than a unit of a request: a few pages fit in where the last one failed.
  static constexpr std::size_t kProbeBytes = 256U << 10U;

  Result<> probe(std::string_view filler) {
    return inner_->write([&](Connection& connection) -> Result<> {
      TRY(connection.run(sql::write_probe, {filler}));
      return {};
    });
  }

  std::unique_ptr<Database> const inner_;
  ops::Histogram& reads_;
  ops::Histogram& writes_;
  std::atomic<bool> write_failed_{false};
};

} // namespace vitrine::store
