// Reads of one statement each, for those who do not wait: what was asked while the server answered
// goes out together, rows by their keys as one statement, pages one behind the other.
//
// Such a read costs either side less than going to sleep for it and waking up, and requests that
// all wait for a connection push each other aside. So one thread asks for all, and nobody's event
// loop sleeps. Nothing is held back for company either: a read that comes alone goes out at once.
#pragma once

#include "store/metadata/database.hpp"
#include "store/metadata/postgres/postgres_pool.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

namespace vitrine::store::postgres {

/// Thread-safe.
class LaterReads {
public:
  using Work = Database::Work;
  /// Called once, from the thread that asks, and with `unavailable` again for as long as it throws:
  /// whoever asked gets an answer. Those behind it wait so long, and others are not taken.
  using Done = std::function<void(Result<>)>;

  LaterReads(PostgresPool& pool, LaterRead what);
  /// Answers those that wait with `unavailable`.
  ~LaterReads();
  LaterReads(LaterReads const&) = delete;
  LaterReads& operator=(LaterReads const&) = delete;

  /// Takes `work`, which runs twice: now, to tell its statement, and on the rows that come. False
  /// when it tells none, when too many wait, or when the server has been silent for a while; `done`
  /// is not called then. What fails is not tried again: `unavailable`, also when no connection lies
  /// ready or memory is short.
  bool ask(Work work, Done done);

private:
  struct Read;
  using Reads = std::vector<std::unique_ptr<Read>>;

  static constexpr auto kNever = std::chrono::steady_clock::time_point::max();

  void run();
  void take_next();
  void answer(std::span<std::unique_ptr<Read> const> reads);
  void answer_at_once(std::span<std::unique_ptr<Read> const> reads);
  void answer_in_turn(std::span<std::unique_ptr<Read> const> reads);
  Result<OwnedResult> fetch_guarded(std::span<std::unique_ptr<Read> const> reads);
  Result<OwnedResult> fetch(std::span<std::unique_ptr<Read> const> reads);
  static std::vector<std::span<Param const>>
  params_of(std::span<std::unique_ptr<Read> const> reads);

  PostgresPool& pool_;
  LaterRead const what_;
  std::mutex mutex_;
  std::condition_variable asked_;
  std::deque<std::unique_ptr<Read>> waiting_;
  Reads taken_; ///< those under way, of the thread; has room, so that none is lost for want of it
  bool stopping_{false};
  std::chrono::steady_clock::time_point began_{kNever}; ///< the exchange under way
  std::thread thread_;                                  ///< started by the first read
};

} // namespace vitrine::store::postgres
