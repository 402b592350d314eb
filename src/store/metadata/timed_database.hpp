// Any database, with its transactions measured.
#pragma once

#include "ops/metrics.hpp"
#include "ops/timer.hpp"
#include "store/metadata/database.hpp"

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
  Result<> do_read_anew(Work const& work) override {
    ops::Timer const timer(reads_);
    return inner_->read_anew(work);
  }
  Result<> do_write(Work const& work) override {
    ops::Timer const timer(writes_);
    return inner_->write(work);
  }

private:
  std::unique_ptr<Database> const inner_;
  ops::Histogram& reads_;
  ops::Histogram& writes_;
};

} // namespace vitrine::store
