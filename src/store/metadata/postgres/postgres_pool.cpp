#include "store/metadata/postgres/postgres_pool.hpp"

namespace vitrine::store::postgres {

Result<PostgresPool::Loan> PostgresPool::lend(Deadline deadline) {
  {
    std::unique_lock lock(mutex_);
    bool const free =
        freed_.wait_until(lock, deadline, [&] { return !idle_.empty() || count_ < size_; });
    if (!free) return error(Fault::unavailable, "no connection to the database became free");
    if (!idle_.empty()) return take_idle();
    ++count_;
  }
  auto opened = PostgresConnection::open(options_);
  if (opened) return Loan(*this, std::move(*opened));
  {
    std::lock_guard const lock(mutex_);
    --count_;
  }
  freed_.notify_one();
  return Error(opened.error());
}

std::optional<PostgresPool::Loan> PostgresPool::lend_idle() {
  std::lock_guard const lock(mutex_);
  if (idle_.empty()) return std::nullopt;
  return take_idle();
}

PostgresPool::Loan PostgresPool::take_idle() {
  Loan loan(*this, std::move(idle_.back()));
  idle_.pop_back();
  return loan;
}

void PostgresPool::give_back(std::unique_ptr<PostgresConnection> connection) {
  std::vector<std::unique_ptr<PostgresConnection>> ended;
  {
    std::lock_guard const lock(mutex_);
    if (connection->trouble() == Trouble::lost) {
      // What ended it has most likely ended those that lie here, too.
      count_ -= 1 + static_cast<std::int64_t>(idle_.size());
      ended.swap(idle_);
      ended.push_back(std::move(connection));
    } else {
      idle_.push_back(std::move(connection));
    }
  }
  freed_.notify_one();
}

} // namespace vitrine::store::postgres
