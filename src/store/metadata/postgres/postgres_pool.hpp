// Connections, kept open and lent out one unit of work at a time.
#pragma once

#include "store/metadata/postgres/postgres_connection.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace vitrine::store::postgres {

/// Thread-safe. At most `size` connections are open, idle ones included. Who waits is served in
/// order: with fewer connections than requests the last one would else wait for all that come.
class PostgresPool {
public:
  using Deadline = std::chrono::steady_clock::time_point;

  PostgresPool(ConnectionOptions options, std::int64_t size)
      : options_(std::move(options)), size_(size) {
    idle_.reserve(static_cast<std::size_t>(size));
  }

  /// A connection on loan; goes back to the pool, or ends when it was lost.
  class Loan {
  public:
    Loan(PostgresPool& pool, std::unique_ptr<PostgresConnection> connection)
        : pool_(&pool), connection_(std::move(connection)) {}
    Loan(Loan&& other) noexcept = default;
    Loan& operator=(Loan&&) = delete;
    ~Loan() {
      if (connection_) pool_->give_back(std::move(connection_));
    }
    PostgresConnection& operator*() const { return *connection_; }
    PostgresConnection* operator->() const { return connection_.get(); }

  private:
    PostgresPool* pool_;
    std::unique_ptr<PostgresConnection> connection_;
  };

  /// Waits for a free connection, or opens one. Error: `unavailable`.
  Result<Loan> lend(Deadline deadline);
  /// One that is open and free; nothing without.
  std::optional<Loan> lend_idle();

private:
  struct Waiting {
    std::condition_variable called;
    bool is_called{false};
    std::unique_ptr<PostgresConnection> connection; ///< without one it is to be opened
  };

  Loan take_idle();
  void give_back(std::unique_ptr<PostgresConnection> connection) noexcept;
  /// Gives what became free to the first that waits, a connection or the place of one. False when
  /// none does. Under the mutex.
  bool hand_on(std::unique_ptr<PostgresConnection>& connection);

  ConnectionOptions const options_;
  std::int64_t const size_;
  std::mutex mutex_;
  /// The last one used is taken first. Has room for all.
  std::vector<std::unique_ptr<PostgresConnection>> idle_;
  std::list<Waiting*> waiting_; ///< none while a connection is idle
  std::int64_t count_{0};       ///< open or being opened
};

} // namespace vitrine::store::postgres
