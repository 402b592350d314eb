#include "store/metadata/postgres/postgres_database.hpp"

#include "ops/log.hpp"
#include "store/metadata/guarded.hpp"
#include "store/metadata/postgres/upgrade.hpp"

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

namespace vitrine::store::postgres {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::array kReadOpening{"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"};
constexpr std::array kWriteOpening{"BEGIN ISOLATION LEVEL SERIALIZABLE"};
// Whoever was overtaken again and again waits for its turn first. The lock is taken before the
// snapshot, so nobody else of those can overtake it any more.
constexpr std::array kTurnOpening{"BEGIN ISOLATION LEVEL SERIALIZABLE",
                                  "LOCK TABLE write_turns IN EXCLUSIVE MODE"};
constexpr int kAttemptsBeforeTurn = 3;
// How long a unit is run again and again because of others.
constexpr std::chrono::seconds kOvertakenMax{30};
constexpr std::chrono::milliseconds kPauseFirst{20};
constexpr std::chrono::milliseconds kPauseMax{500};

Result<> read_snapshot(PostgresConnection& connection, Database::Work const& work) {
  connection.begin(kReadOpening);
  auto done = run_guarded(work, connection);
  connection.roll_back();
  return done;
}

} // namespace

PostgresDatabase::PostgresDatabase(DatabaseOptions const& options)
    : options_(options), silent_(options.connection), pool_(options.connection, options.pool_size) {
}

Result<std::unique_ptr<PostgresDatabase>> PostgresDatabase::open(DatabaseOptions const& options) {
  TRY(upgrade(options.connection, Upgrade::expand));
  return std::unique_ptr<PostgresDatabase>(new PostgresDatabase(options));
}

Result<>
PostgresDatabase::persist(std::function<Result<>(PostgresConnection&, int number)> const& attempt) {
  auto const began = Clock::now();
  auto const patience = options_.connection.connect_timeout;
  auto lend_until = began + patience;
  auto pause = kPauseFirst;
  for (int number = 1;; ++number) {
    auto trouble = Trouble::lost;
    std::optional<Session> silent;
    auto outcome = [&]() -> Result<> {
      auto const loan = TRY(pool_.lend(lend_until));
      auto done = attempt(*loan, number);
      trouble = loan->trouble();
      silent = loan->silent_session();
      return done;
    }();
    if (silent) silent_.end(std::move(*silent));
    auto const waited = Clock::now() - began;
    bool const again = trouble == Trouble::lost || trouble == Trouble::overtaken;
    if (outcome || !again) return outcome;
    if (waited > (trouble == Trouble::lost ? patience : kOvertakenMax)) {
      ops::log_error("database.given_up",
                     {{"attempts", number}, {"detail", outcome.error().detail}});
      return error(Fault::unavailable);
    }
    if (trouble == Trouble::overtaken) {
      lend_until = Clock::now() + patience; // the database works, so a connection will be free
      continue;
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kPauseMax);
  }
}

Result<> PostgresDatabase::do_read(Work const& work) {
  return persist(
      [&](PostgresConnection& connection, int) { return read_snapshot(connection, work); });
}

Result<> PostgresDatabase::do_read_single(Work const& work) {
  return persist([&](PostgresConnection& connection, int) -> Result<> {
    connection.begin_single();
    auto done = run_guarded(work, connection);
    return connection.wants_more() ? read_snapshot(connection, work) : done;
  });
}

bool PostgresDatabase::do_read_later(LaterRead what, Work work, Done done) {
  auto& reads = what == LaterRead::row ? later_rows_ : later_pages_;
  return reads.ask(std::move(work), std::move(done));
}

Result<> PostgresDatabase::do_write(Work const& work) {
  bool unknown = false;
  auto done = persist([&](PostgresConnection& connection, int number) -> Result<> {
    if (number <= kAttemptsBeforeTurn) {
      connection.begin(kWriteOpening);
    } else {
      connection.begin(kTurnOpening);
    }
    auto const ran = run_guarded(work, connection);
    if (!ran || connection.trouble() != Trouble::none) {
      connection.roll_back();
      return ran ? error(Fault::internal) : ran;
    }
    auto committed = connection.commit();
    // It may be stored: to run it again could do it twice.
    unknown = connection.trouble() == Trouble::lost;
    if (!unknown) return committed;
    return {};
  });
  if (!unknown) return done;
  ops::log_error("database.outcome_unknown");
  return error(Fault::outcome_unknown);
}

} // namespace vitrine::store::postgres
