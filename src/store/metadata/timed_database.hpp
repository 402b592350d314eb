// Any database, with its transactions measured and its failures to write remembered.
#pragma once

#include "ops/metrics.hpp"
#include "ops/timer.hpp"
#include "store/metadata/database.hpp"

#include <atomic>
#include <memory>
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
  /// A full disk can be read. So where the last unit could not be written, one is written first,
  /// and not before: looks are frequent, and a write waits for the disk.
  Result<> do_read_anew(Work const& work) override {
    if (write_failed_) {
      TRY(write([](Connection& connection) { return connection.run(sql::touch_migrations, {}); }));
    }
    ops::Timer const timer(reads_);
    return inner_->read_anew(work);
  }
  Result<> do_write(Work const& work) override {
    ops::Timer const timer(writes_);
    auto done = inner_->write(work);
    write_failed_ = !done && done.error().fault == Fault::unavailable;
    return done;
  }

private:
  std::unique_ptr<Database> const inner_;
  ops::Histogram& reads_;
  ops::Histogram& writes_;
  std::atomic<bool> write_failed_{false};
};

} // namespace vitrine::store
