#include "store/metadata/postgres/upgrade.hpp"

#include "ops/log.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <set>
#include <thread>

namespace vitrine::store::postgres {
namespace {

// READ COMMITTED, so that whoever waited for the lock sees what its holder did. A migration waits
// for the locks of its tables as long as it takes.
constexpr std::array kOpening{"BEGIN ISOLATION LEVEL READ COMMITTED", "SET LOCAL lock_timeout = 0"};
// The lock's number is any that nobody else uses in this database.
constexpr sql::Statement kTryLock{"lock_migrations",
                                  "SELECT CAST(pg_try_advisory_xact_lock(7234101) AS INT)"};
constexpr std::chrono::milliseconds kTryAgain{500};
constexpr sql::Statement kMakeTable{"make_migrations",
                                    "CREATE TABLE IF NOT EXISTS migrations ("
                                    "number BIGINT PRIMARY KEY, name TEXT COLLATE \"C\" NOT NULL)"};
constexpr sql::Statement kApplied{"applied_migrations", "SELECT number, name FROM migrations"};
constexpr sql::Statement kRecord{"record_migration",
                                 "INSERT INTO migrations (number, name) VALUES ($1, $2)"};

// Whether the process is asked to end: who waits for its turn has blocked the signals.
bool is_to_end() {
  sigset_t pending{};
  return ::sigpending(&pending) == 0 &&
         (::sigismember(&pending, SIGTERM) == 1 || ::sigismember(&pending, SIGINT) == 1);
}

// An exchange for each try: a server that says nothing for as long as a migration may take would be
// taken for lost.
Result<> wait_for_turn(PostgresConnection& connection) {
  for (bool first = true;; first = false) {
    bool mine = false;
    TRY(connection.run(kTryLock, {}, [&](Row const& row) { mine = row.flag(0); }));
    if (mine) return {};
    if (first) ops::log_info("database.upgrade_awaited");
    if (is_to_end()) return error(Fault::unavailable, "ended while another server upgraded");
    std::this_thread::sleep_for(kTryAgain);
  }
}

bool contracts(std::string_view name) { return name.starts_with("contract_"); }

Result<std::vector<std::string>> apply_missing(PostgresConnection& connection, Upgrade how) {
  TRY(wait_for_turn(connection));
  TRY(connection.run(kMakeTable, {}));
  std::set<std::int64_t> applied;
  std::int64_t newest_contraction = 0;
  TRY(connection.run(kApplied, {}, [&](Row const& row) {
    applied.insert(row.integer(0));
    if (contracts(row.text(1))) newest_contraction = std::max(newest_contraction, row.integer(0));
  }));
  std::int64_t newest_known = 0;
  std::vector<std::string> names;
  for (auto const& migration : sql::migrations()) {
    if (!migration.engine.empty() && migration.engine != "postgres") continue;
    newest_known = std::max<std::int64_t>(newest_known, migration.number);
    if (applied.contains(migration.number)) continue;
    if (contracts(migration.name) && how == Upgrade::expand) continue;
    TRY(connection.execute(std::string(migration.text)));
    TRY(connection.run(kRecord, {migration.number, migration.name}));
    names.emplace_back(migration.name);
  }
  if (newest_contraction > newest_known) {
    return error(Fault::unavailable, "the database needs a newer release of vitrine");
  }
  return names;
}

} // namespace

Result<std::vector<std::string>> upgrade(ConnectionOptions const& options, Upgrade how) {
  auto unprepared = options;
  unprepared.prepared_statements = false; // each statement runs once
  auto const connection = TRY(PostgresConnection::open(unprepared));
  connection->begin(kOpening);
  auto names = apply_missing(*connection, how);
  if (!names) {
    connection->roll_back();
    auto const& failed = names.error();
    if (!failed.detail.empty()) return Error(failed);
    return error(Fault::unavailable, "the schema of the database could not be brought up to date");
  }
  TRY(connection->commit());
  return names;
}

} // namespace vitrine::store::postgres
