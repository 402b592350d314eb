#include "store/metadata/postgres/postgres_pool.hpp"

namespace vitrine::store::postgres {

Result<PostgresPool::Loan> PostgresPool::lend(Deadline deadline) {
  {
    std::unique_lock lock(mutex_);
    if (!idle_.empty()) return take_idle();
    if (count_ < size_) {
      ++count_;
    } else {
      Waiting self;
      auto const place = waiting_.insert(waiting_.end(), &self);
      if (!self.called.wait_until(lock, deadline, [&] { return self.is_called; })) {
        waiting_.erase(place);
        return error(Fault::unavailable, "no connection to the database became free");
      }
      if (self.connection) return Loan(*this, std::move(self.connection));
    }
  }
  auto opened = PostgresConnection::open(options_);
  if (opened) return Loan(*this, std::move(*opened));
  std::lock_guard const lock(mutex_);
  std::unique_ptr<PostgresConnection> none;
  if (!hand_on(none)) --count_;
  return Error(opened.error());
}

bool PostgresPool::hand_on(std::unique_ptr<PostgresConnection>& connection) {
  if (waiting_.empty()) return false;
  auto& first = *waiting_.front();
  waiting_.pop_front();
  first.connection = std::move(connection);
  first.is_called = true;
  first.called.notify_one();
  return true;
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

/// Takes no memory, which may be what was short.
void PostgresPool::give_back(std::unique_ptr<PostgresConnection> connection) noexcept {
  std::unique_ptr<PostgresConnection> none;
  auto const trouble = connection->trouble();
  std::lock_guard const lock(mutex_);
  // What ended it has most likely ended those that lie here, too.
  if (trouble == Trouble::lost) {
    count_ -= static_cast<std::int64_t>(idle_.size());
    idle_.clear();
  }
  if (trouble == Trouble::lost || trouble == Trouble::cut) {
    if (!hand_on(none)) --count_;
  } else if (!hand_on(connection)) {
    idle_.push_back(std::move(connection));
  }
}

} // namespace vitrine::store::postgres
