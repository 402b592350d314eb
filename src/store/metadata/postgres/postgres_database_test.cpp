// What only a server at the other end of a connection can do to us.
#include "store/metadata/engines_test.hpp"
#include "store/metadata/postgres/upgrade.hpp"

#include <atomic>
#include <future>
#include <gtest/gtest.h>
#include <latch>
#include <optional>
#include <thread>
#include <utility>

namespace vitrine::store::postgres {
namespace {

constexpr sql::Statement kCount{"count", "SELECT COUNT(*) FROM quotas"};
constexpr sql::Statement kAdd{
    "add", "INSERT INTO quotas (project_id, resource, quota) VALUES ($1, 'x', 1)"};
constexpr sql::Statement kFind{
    "find", "SELECT project_id FROM quotas WHERE project_id = $1 AND quota = $2"};
// Ends the session that asks, as a restart of the server or an operator does.
constexpr sql::Statement kEndOwnSession{"end", "SELECT pg_terminate_backend(pg_backend_pid())"};

class PostgresDatabaseTest : public ::testing::Test {
protected:
  void SetUp() override {
    if (test_cluster_url().empty()) GTEST_SKIP() << "VITRINE_TEST_POSTGRES_URL names no cluster";
    store_ = std::make_unique<TestStore>("", TestEngine::postgres);
    open({});
  }
  void TearDown() override {
    database_.reset();
    store_.reset();
  }

  void open(ConnectionOptions connection, std::int64_t pool_size = 8) {
    connection.url = store_->url();
    database_ = PostgresDatabase::open({.connection = connection, .pool_size = pool_size}).value();
  }
  Result<> add(std::string_view project) {
    return database_->write([&](Connection& connection) -> Result<> {
      TRY(connection.run(kAdd, {project}));
      return {};
    });
  }
  std::int64_t count() {
    std::int64_t found = 0;
    EXPECT_TRUE(database_->read_single([&](Connection& connection) {
      return connection.run(kCount, {}, [&](Row const& row) { found = row.integer(0); });
    }));
    return found;
  }
  static std::string project_named(int i) { return "p\"{," + std::to_string(i) + "\\"; }
  /// The project of a quota of `add`, or nothing.
  std::optional<std::future<Result<std::string>>> find_later(std::string_view project,
                                                             LaterRead what = LaterRead::row) {
    auto promise = std::make_shared<std::promise<Result<std::string>>>();
    auto answer = promise->get_future();
    auto const work = [project =
                           std::string(project)](Connection& connection) -> Result<std::string> {
      std::string found;
      TRY(connection.run(kFind, {project, 1}, [&](Row const& row) { found = row.string(0); }));
      return found;
    };
    bool const taken = database_->read_later(
        what, work, [promise](Result<std::string> found) { promise->set_value(std::move(found)); });
    if (!taken) return std::nullopt;
    return answer;
  }
  void end_sessions() const {
    TestStore::in_cluster(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" +
        store_->url().substr(store_->url().rfind('/') + 1) + "'");
  }
  Result<> script(std::string const& text) {
    auto const connection = TRY(PostgresConnection::open({.url = store_->url()}));
    return connection->execute(text);
  }
  /// From now on a change of the quotas ends with what `body` does, at once or at the commit.
  void when_changed(std::string const& body, bool at_commit) {
    EXPECT_TRUE(script("CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " +
                       body + "; RETURN NULL; END $$;" +
                       (at_commit ? "CREATE CONSTRAINT TRIGGER act AFTER INSERT ON quotas "
                                    "DEFERRABLE INITIALLY DEFERRED "
                                  : "CREATE TRIGGER act AFTER INSERT ON quotas ") +
                       "FOR EACH ROW EXECUTE FUNCTION act()"));
  }

  std::unique_ptr<TestStore> store_;
  std::unique_ptr<PostgresDatabase> database_;
};

} // namespace

TEST_F(PostgresDatabaseTest, a_unit_whose_connection_was_lost_runs_again) {
  int runs = 0;
  EXPECT_TRUE(database_->write([&](Connection& connection) -> Result<> {
    TRY(connection.run(kAdd, {"p"}));
    if (++runs == 1) TRY(connection.run(kEndOwnSession, {}));
    return {};
  }));
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(count(), 1);
  runs = 0;
  EXPECT_TRUE(database_->read([&](Connection& connection) -> Result<> {
    if (++runs == 1) TRY(connection.run(kEndOwnSession, {}));
    TRY(connection.run(kCount, {}));
    return {};
  }));
  EXPECT_EQ(runs, 2);
}

TEST_F(PostgresDatabaseTest, idle_connections_that_were_ended_do_not_show) {
  EXPECT_EQ(count(), 0);
  end_sessions();
  EXPECT_TRUE(add("p"));
  EXPECT_EQ(count(), 1);
}

TEST_F(PostgresDatabaseTest, reads_that_nobody_waits_for_find_their_own_rows) {
  constexpr int kReads = 300;
  for (int i = 0; i < kReads; i += 2) // the others find nothing
    ASSERT_TRUE(add(project_named(i)));
  EXPECT_EQ(count(), kReads / 2); // so that a connection lies ready for either kind
  for (auto const what : {LaterRead::row, LaterRead::page}) {
    std::vector<std::future<Result<std::string>>> found;
    for (int i = 0; i < kReads; ++i)
      found.push_back(find_later(project_named(i), what).value());
    for (int i = 0; i < kReads; ++i)
      EXPECT_EQ(found[static_cast<std::size_t>(i)].get().value(),
                i % 2 == 0 ? project_named(i) : "");
  }
}

TEST_F(PostgresDatabaseTest, a_page_that_fails_takes_those_behind_it_along_and_nobody_else) {
  ASSERT_TRUE(add("p"));
  std::vector<std::future<Result<std::string>>> found;
  for (auto const* project : {"p", "p", "a\xFF", "p"})
    found.push_back(find_later(project, LaterRead::page).value());
  EXPECT_EQ(found[2].get().error().fault, Fault::unavailable);
  for (auto const at : {0U, 1U, 3U}) {
    auto const outcome = found[at].get();
    EXPECT_TRUE(outcome ? *outcome == "p" : outcome.error().fault == Fault::unavailable);
  }
  EXPECT_EQ(find_later("p", LaterRead::page).value().get().value(), "p");
}

TEST_F(PostgresDatabaseTest, a_second_statement_is_not_answered_with_the_rows_of_the_first) {
  ASSERT_TRUE(add("p"));
  auto const twice = [](Connection& connection) -> Result<std::int64_t> {
    std::int64_t found = 0;
    TRY(connection.run(kFind, {"p", 1}));
    TRY(connection.run(kCount, {}, [&](Row const& row) { found = row.integer(0); }));
    return found;
  };
  for (auto const what : {LaterRead::row, LaterRead::page}) {
    std::promise<Result<std::int64_t>> promise;
    ASSERT_TRUE(database_->read_later(
        what, twice, [&](Result<std::int64_t> found) { promise.set_value(std::move(found)); }));
    EXPECT_EQ(promise.get_future().get().error().fault, Fault::unavailable);
  }
}

TEST_F(PostgresDatabaseTest, a_read_that_goes_on_after_one_statement_begins_again_on_a_snapshot) {
  int runs = 0;
  auto const counts = database_->read_single([&](Connection& connection) -> Result<std::string> {
    std::string found;
    auto const append = [&](Row const& row) { found += row.text(0); };
    TRY(connection.run(kCount, {}, append));
    EXPECT_TRUE(add("p" + std::to_string(++runs)));
    TRY(connection.run(kCount, {}, append));
    return found;
  });
  EXPECT_EQ(counts.value(), "11") << "the second run sees what the first one added, and no more";
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(count(), 2);
}

TEST_F(PostgresDatabaseTest, many_share_few_connections_also_while_these_are_lost) {
  constexpr int kThreads = 16;
  constexpr int kReads = 20;
  open({}, 2);
  std::atomic<int> found{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < kReads; ++n) {
        bool lose = i == 0 && n % 5 == 0;
        auto const read = database_->read([&](Connection& connection) -> Result<> {
          if (std::exchange(lose, false)) TRY(connection.run(kEndOwnSession, {}));
          TRY(connection.run(kCount, {}));
          return {};
        });
        if (read) ++found;
      }
    });
  }
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(found, kThreads * kReads);
}

TEST_F(PostgresDatabaseTest, a_read_that_nobody_waits_for_is_not_tried_again) {
  ASSERT_TRUE(add("p"));
  EXPECT_EQ(find_later(std::string_view("a\0b", 3)), std::nullopt);
  EXPECT_EQ(find_later("p").value().get().value(), "p");
  EXPECT_EQ(find_later("a\xFF").value().get().error().fault, Fault::unavailable);
  end_sessions();
  EXPECT_EQ(find_later("p").value().get().error().fault, Fault::unavailable) << "it was ended";
  EXPECT_EQ(find_later("p").value().get().error().fault, Fault::unavailable) << "none is open";
  EXPECT_EQ(count(), 1);
  EXPECT_EQ(find_later("p").value().get().value(), "p");
}

TEST_F(PostgresDatabaseTest, nobody_queues_behind_a_server_that_is_silent) {
  ASSERT_TRUE(add("p"));
  std::vector<std::future<Result<std::string>>> taken;
  auto const still_waits = [&] {
    return taken.back().wait_for(std::chrono::milliseconds(5)) == std::future_status::timeout;
  };
  EXPECT_TRUE(database_->write([&](Connection& connection) -> Result<> {
    EXPECT_EQ(count(), 1); // so that another connection lies ready
    TRY(connection.run({"lock", "LOCK TABLE quotas IN ACCESS EXCLUSIVE MODE"}, {}));
    for (auto answer = find_later("p"); answer; answer = find_later("p")) {
      taken.push_back(std::move(*answer));
      if (!still_waits() || taken.size() > 1000) return error(Fault::internal);
    }
    return {};
  }));
  ASSERT_FALSE(taken.empty());
  for (auto& answer : taken)
    EXPECT_EQ(answer.get().value(), "p");
  EXPECT_EQ(find_later("p").value().get().value(), "p") << "it answers again";
}

TEST_F(PostgresDatabaseTest, a_read_that_nobody_waits_for_ends_with_the_database) {
  ASSERT_TRUE(add("p"));
  std::vector<std::future<Result<std::string>>> found;
  for (int i = 0; i < 100; ++i)
    found.push_back(find_later("p").value());
  database_.reset();
  for (auto& one : found) {
    auto const outcome = one.get();
    EXPECT_TRUE(outcome ? *outcome == "p" : outcome.error().fault == Fault::unavailable);
  }
}

TEST_F(PostgresDatabaseTest, a_commit_of_unknown_outcome_is_told_and_not_repeated) {
  when_changed("PERFORM pg_terminate_backend(pg_backend_pid())", true);
  int runs = 0;
  auto const unknown = database_->write([&](Connection& connection) -> Result<> {
    ++runs;
    TRY(connection.run(kAdd, {"p"}));
    return {};
  });
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().fault, Fault::outcome_unknown);
  EXPECT_EQ(runs, 1);
}

TEST_F(PostgresDatabaseTest, a_conflict_found_at_the_commit_runs_the_unit_again) {
  EXPECT_TRUE(script("CREATE SEQUENCE tries"));
  when_changed("IF nextval('tries') < 3 THEN RAISE EXCEPTION USING ERRCODE = '40001'; END IF",
               true);
  EXPECT_TRUE(add("p"));
  EXPECT_EQ(count(), 1);
}

TEST_F(PostgresDatabaseTest, a_unit_overtaken_for_ever_waits_its_turn) {
  EXPECT_TRUE(script("CREATE SEQUENCE tries"));
  when_changed("IF nextval('tries') < 6 THEN RAISE EXCEPTION USING ERRCODE = '40P01'; END IF",
               false);
  EXPECT_TRUE(add("p"));
  EXPECT_EQ(count(), 1);
}

// Once it had run for longer than anybody waits for a connection, it got none that was not idle.
TEST_F(PostgresDatabaseTest, a_unit_that_was_overtaken_queues_for_a_connection_like_any_other) {
  EXPECT_TRUE(script("CREATE SEQUENCE tries"));
  when_changed("IF nextval('tries') < 2 THEN PERFORM pg_sleep(1.2); "
               "RAISE EXCEPTION USING ERRCODE = '40001'; END IF",
               false);
  open({.url = {}, .connect_timeout = std::chrono::seconds(2)}, 1);
  auto const sleep = [](Connection& connection, int ms) {
    return connection.run({"sleep", "SELECT pg_sleep(CAST($1 AS INTEGER) / 1000.0)"}, {ms});
  };
  std::latch tries(1);
  auto overtaken = std::async(std::launch::async, [&] {
    bool first = true;
    return database_->write([&](Connection& connection) -> Result<> {
      if (std::exchange(first, false)) {
        auto const slept = sleep(connection, 1200);
        tries.count_down();
        TRY(slept);
      }
      TRY(connection.run(kAdd, {"p"}));
      return {};
    });
  });
  tries.wait();
  EXPECT_TRUE(
      database_->read_single([&](Connection& connection) { return sleep(connection, 200); }));
  EXPECT_TRUE(overtaken.get());
  EXPECT_EQ(count(), 1);
}

TEST_F(PostgresDatabaseTest, a_full_disk_is_no_quota_of_the_caller) {
  when_changed("RAISE EXCEPTION USING ERRCODE = '53100'", false);
  EXPECT_EQ(add("p").error().fault, Fault::unavailable);
  EXPECT_EQ(count(), 0);
}

TEST_F(PostgresDatabaseTest, a_text_with_a_nul_never_gets_there) {
  EXPECT_EQ(add(std::string_view("a\0b", 3)).error().fault, Fault::invalid_value);
  EXPECT_EQ(add("a\xFF").error().fault, Fault::invalid_value) << "nor one that is no UTF-8";
  EXPECT_EQ(count(), 0);
  EXPECT_TRUE(add("p"));
}

TEST_F(PostgresDatabaseTest, nothing_is_prepared_when_that_is_off) {
  open({.url = {}, .prepared_statements = false});
  EXPECT_TRUE(add("p"));
  std::int64_t prepared = -1;
  EXPECT_TRUE(database_->read([&](Connection& connection) -> Result<> {
    TRY(connection.run(kCount, {}));
    TRY(connection.run({"prepared", "SELECT COUNT(*) FROM pg_prepared_statements"}, {},
                       [&](Row const& row) { prepared = row.integer(0); }));
    return {};
  }));
  EXPECT_EQ(prepared, 0);
  EXPECT_EQ(count(), 1);
}

// A worker that stood still held the locks of its transaction as long as it stood.
TEST_F(PostgresDatabaseTest, transactions_are_limited_where_sessions_cannot_be) {
  open({.url = {}, .prepared_statements = false}, 1);
  std::string limits;
  auto const look = [&](Connection& connection) -> Result<> {
    TRY(connection.run({"limits", "SELECT current_setting('lock_timeout') || ' ' || "
                                  "current_setting('idle_in_transaction_session_timeout')"},
                       {}, [&](Row const& row) { limits = row.string(0); }));
    return {};
  };
  EXPECT_TRUE(database_->write(look));
  EXPECT_EQ(limits, "10s 30s");
  EXPECT_TRUE(database_->read(look));
  EXPECT_EQ(limits, "10s 30s");
  EXPECT_TRUE(database_->read_single(look));
  EXPECT_EQ(limits, "0 0") << "nothing stays with the session";
}

// Its session stayed, more and more of them, until the server had no room for any.
TEST_F(PostgresDatabaseTest, a_commit_that_nobody_waits_for_any_more_leaves_no_session) {
  when_changed("PERFORM pg_sleep(600)", true);
  open({.url = {}, .answer_max = std::chrono::milliseconds(500)});
  EXPECT_EQ(add("p").error().fault, Fault::outcome_unknown);
  std::int64_t committing = 1;
  auto const until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (committing > 0 && std::chrono::steady_clock::now() < until) {
    EXPECT_TRUE(database_->read_single([&](Connection& connection) {
      return connection.run({"committing", "SELECT COUNT(*) FROM pg_stat_activity WHERE "
                                           "datname = current_database() AND query = 'COMMIT' "
                                           "AND state = 'active'"},
                            {}, [&](Row const& row) { committing = row.integer(0); });
    }));
  }
  EXPECT_EQ(committing, 0);
  EXPECT_EQ(count(), 0);
}

TEST_F(PostgresDatabaseTest, nobody_waits_for_a_connection_beyond_the_deadline) {
  open({.url = {}, .connect_timeout = std::chrono::seconds(1)}, 2);
  std::latch held(2);
  std::latch refused(1);
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      EXPECT_TRUE(database_->read([&](Connection&) -> Result<> {
        held.count_down();
        refused.wait();
        return {};
      }));
    });
  }
  held.wait();
  EXPECT_EQ(add("p").error().fault, Fault::unavailable);
  refused.count_down();
  for (auto& thread : threads)
    thread.join();
  EXPECT_TRUE(add("p"));
}

TEST_F(PostgresDatabaseTest, servers_that_start_together_make_the_schema_once) {
  database_.reset();
  EXPECT_TRUE(script("DROP SCHEMA public CASCADE; CREATE SCHEMA public"));
  constexpr int kServers = 6;
  std::latch start(kServers);
  std::atomic<std::size_t> applied{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kServers; ++i) {
    threads.emplace_back([&] {
      start.arrive_and_wait();
      auto const names = upgrade({.url = store_->url()}, Upgrade::expand);
      EXPECT_TRUE(names);
      applied += names->size();
    });
  }
  for (auto& thread : threads)
    thread.join();
  std::size_t known = 0;
  for (auto const& migration : sql::migrations())
    known += migration.engine == "postgres" || migration.engine.empty() ? 1U : 0U;
  EXPECT_EQ(applied, known);
}

TEST_F(PostgresDatabaseTest, who_waits_for_a_migration_waits_as_long_as_it_takes) {
  auto const migrating = PostgresConnection::open({.url = store_->url()}).value();
  ASSERT_TRUE(migrating->execute("BEGIN; SELECT pg_advisory_xact_lock(7234101)"));
  constexpr std::chrono::milliseconds kAnswerMax{200};
  auto waiting = std::async(std::launch::async, [&] {
    return upgrade({.url = store_->url(), .answer_max = kAnswerMax}, Upgrade::expand);
  });
  EXPECT_EQ(waiting.wait_for(3 * kAnswerMax), std::future_status::timeout);
  ASSERT_TRUE(migrating->execute("COMMIT"));
  EXPECT_TRUE(waiting.get());
}

TEST_F(PostgresDatabaseTest, the_release_before_works_on_what_a_newer_one_expanded) {
  EXPECT_TRUE(script("INSERT INTO migrations VALUES (9999, 'more_columns')"));
  EXPECT_TRUE(upgrade({.url = store_->url()}, Upgrade::expand));
  EXPECT_TRUE(script("INSERT INTO migrations VALUES (10000, 'contract_columns')"));
  EXPECT_FALSE(upgrade({.url = store_->url()}, Upgrade::expand));
}

TEST(PostgresUrlTest, an_error_never_tells_the_password) {
  for (std::string const url :
       {"postgresql://vitrine:hunter2@127.0.0.1:1/none", "postgresql://vitrine:hunter2@[::1/none",
        "postgresql://vitrine:hunter2@/?bogus=1", "postgresql://vitrine:hunter2@h:port/x"}) {
    auto const failed = PostgresConnection::open({.url = url});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().fault, Fault::unavailable);
    EXPECT_EQ(failed.error().detail.find("hunter2"), std::string::npos) << failed.error().detail;
  }
}

} // namespace vitrine::store::postgres
