// What holds on every engine.
#include "store/metadata/database_clock.hpp"
#include "store/metadata/engines_test.hpp"
#include "store/metadata/timed_database.hpp"

#include <atomic>
#include <cstdlib>
#include <gtest/gtest.h>
#include <latch>
#include <thread>
#include <unistd.h>
#include <vector>

namespace vitrine::store {
namespace {

namespace fs = std::filesystem;

constexpr sql::Statement kInsert{"insert", "INSERT INTO numbers (number, name) VALUES ($1, $2)"};
constexpr sql::Statement kCreate{
    "create", "CREATE TABLE numbers (number BIGINT PRIMARY KEY NOT NULL, name TEXT)"};
constexpr sql::Statement kCount{"count", "SELECT COUNT(*), COALESCE(SUM(number), 0) FROM numbers"};
constexpr sql::Statement kFind{"find", "SELECT number, name FROM numbers "
                                       "WHERE (number = $1 OR $1 IS NULL) ORDER BY number"};
constexpr sql::Statement kChange{"change", "UPDATE numbers SET number = number + $1"};

class DatabaseTest : public ::testing::TestWithParam<TestEngine> {
protected:
  void SetUp() override {
    if (GetParam() == TestEngine::postgres && test_cluster_url().empty()) {
      GTEST_SKIP() << "VITRINE_TEST_POSTGRES_URL names no cluster";
    }
    auto pattern = (fs::temp_directory_path() / "vitrine-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    store_ = std::make_unique<TestStore>(directory_, GetParam());
    reopen();
    ASSERT_TRUE(run(kCreate));
  }
  void TearDown() override {
    database_.reset();
    store_.reset();
    fs::remove_all(directory_);
  }

  void reopen() {
    database_.reset();
    database_ = store_->open().value();
  }
  Result<> run(sql::Statement const& statement, std::initializer_list<Param> params = {}) {
    return database_->write([&](Connection& connection) -> Result<> {
      TRY(connection.run(statement, params));
      return {};
    });
  }
  Result<> insert(std::int64_t number) {
    return database_->write([&](Connection& connection) -> Result<> {
      TRY(connection.run(kInsert, {number, "x"}));
      if (number % 10 == 0) return error(Fault::conflict, "a round number");
      return {};
    });
  }
  std::pair<std::int64_t, std::int64_t> count_and_sum() {
    std::pair<std::int64_t, std::int64_t> out;
    EXPECT_TRUE(database_->read_single([&](Connection& connection) {
      return connection.run(kCount, {},
                            [&](Row const& row) { out = {row.integer(0), row.integer(1)}; });
    }));
    return out;
  }

  fs::path directory_;
  std::unique_ptr<TestStore> store_;
  std::unique_ptr<Database> database_;
};

// The database is on this machine, so that its time is the system's. It is told at some moment of
// the question: no nearer than that is the clock, and busy machines take long.
TEST_P(DatabaseTest, ItsClockStandsWhereTheDatabaseSays) {
  constexpr std::int64_t kTold_us = 1000; // SQLite tells milliseconds
  SystemClock const system;
  DatabaseClock clock;
  auto const expect_near = [&](std::int64_t off_us) {
    auto const before = system.now().us;
    auto const told = clock.now().us;
    auto const after = system.now().us;
    EXPECT_GE(told, before - off_us);
    EXPECT_LE(told, after + off_us);
  };
  expect_near(0); // nothing told yet
  std::int64_t off_us = 0;
  for (int i = 0; i < 2; ++i) {
    auto const asked_at = system.now().us;
    ASSERT_TRUE(clock.follow(*database_));
    off_us = std::max(off_us, system.now().us - asked_at + kTold_us);
    expect_near(off_us);
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, DatabaseTest,
                         ::testing::Values(TestEngine::sqlite, TestEngine::postgres),
                         [](auto const& test) {
                           return test.param == TestEngine::sqlite ? "sqlite" : "postgres";
                         });

} // namespace

TEST_P(DatabaseTest, concurrent_units_fail_each_for_itself) {
  constexpr std::int64_t kThreads = 16;
  constexpr std::int64_t kEach = 20;
  std::latch start(kThreads);
  std::vector<std::thread> threads;
  for (std::int64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      start.arrive_and_wait();
      for (std::int64_t i = 1; i <= kEach; ++i) {
        auto const number = t * kEach + i;
        EXPECT_EQ(insert(number).has_value(), number % 10 != 0) << number;
      }
    });
  }
  for (auto& thread : threads)
    thread.join();
  // 1 to 320 without the multiples of 10.
  auto const expected =
      std::pair<std::int64_t, std::int64_t>(288, 320 * 321 / 2 - 10 * 32 * 33 / 2);
  EXPECT_EQ(count_and_sum(), expected);
  reopen();
  EXPECT_EQ(count_and_sum(), expected) << "after it was opened again";
}

// Each unit reads what it changes: without an order among them, changes would be lost.
TEST_P(DatabaseTest, units_take_effect_one_after_the_other) {
  ASSERT_TRUE(insert(1));
  constexpr int kThreads = 8;
  constexpr int kEach = 25;
  std::latch start(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      start.arrive_and_wait();
      for (int i = 0; i < kEach; ++i) {
        EXPECT_TRUE(database_->write([](Connection& connection) -> Result<> {
          std::int64_t sum = 0;
          TRY(connection.run(kCount, {}, [&](Row const& row) { sum = row.integer(1); }));
          TRY(connection.run({"set", "UPDATE numbers SET number = $1"}, {sum + 1}));
          return {};
        }));
      }
    });
  }
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(count_and_sum().second, 1 + kThreads * kEach);
}

// Two units that each see room for one more and write different rows: only an order of the units
// keeps the limit, no lock on a row does.
TEST_P(DatabaseTest, a_limit_on_a_count_holds_among_concurrent_units) {
  constexpr int kThreads = 8;
  constexpr std::int64_t kMost = 5;
  std::latch start(kThreads);
  std::atomic<int> added{0};
  std::vector<std::thread> threads;
  for (std::int64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      start.arrive_and_wait();
      auto const done = database_->write([&](Connection& connection) -> Result<> {
        std::int64_t count = 0;
        TRY(connection.run(kCount, {}, [&](Row const& row) { count = row.integer(0); }));
        if (count >= kMost) return error(Fault::member_limit);
        TRY(connection.run(kInsert, {t, "x"}));
        return {};
      });
      if (done) ++added;
    });
  }
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(added, kMost);
  EXPECT_EQ(count_and_sum().first, kMost);
}

TEST_P(DatabaseTest, a_read_sees_one_moment) {
  ASSERT_TRUE(insert(1));
  EXPECT_TRUE(database_->read([&](Connection& connection) -> Result<> {
    std::int64_t before = 0;
    TRY(connection.run(kCount, {}, [&](Row const& row) { before = row.integer(0); }));
    std::thread([&] { EXPECT_TRUE(insert(2)); }).join();
    std::int64_t after = 0;
    TRY(connection.run(kCount, {}, [&](Row const& row) { after = row.integer(0); }));
    EXPECT_EQ(before, 1);
    EXPECT_EQ(after, 1);
    return {};
  }));
  EXPECT_EQ(count_and_sum().first, 2) << "and the next one what was written meanwhile";
}

TEST_P(DatabaseTest, a_unit_that_throws_fails_alone) {
  auto const thrown = database_->write([](Connection& connection) -> Result<> {
    TRY(connection.run(kInsert, {2, "x"}));
    throw std::runtime_error("a bug of this test");
  });
  ASSERT_FALSE(thrown);
  EXPECT_EQ(thrown.error().fault, Fault::internal);
  EXPECT_TRUE(insert(1));
  EXPECT_EQ(count_and_sum().first, 1);
}

TEST_P(DatabaseTest, a_key_that_is_there_is_a_conflict) {
  ASSERT_TRUE(insert(1));
  auto const again = insert(1);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().fault, Fault::conflict);
  EXPECT_TRUE(insert(2)) << "the connection goes on";
}

TEST_P(DatabaseTest, values_come_back_as_they_were) {
  std::string const text = "d\xC3\xA9j\xC3\xA0 'vu' $1 \\ \"\n";
  ASSERT_TRUE(run(kInsert, {INT64_MIN, text}));
  ASSERT_TRUE(run(kInsert, {INT64_MAX, ""}));
  ASSERT_TRUE(run(kInsert, {0, nullptr}));
  EXPECT_TRUE(database_->read([&](Connection& connection) -> Result<> {
    std::vector<std::optional<std::string>> names;
    std::vector<std::int64_t> numbers;
    TRY(connection.run(kFind, {nullptr}, [&](Row const& row) {
      numbers.push_back(row.integer(0));
      names.push_back(row.maybe_string(1));
    }));
    EXPECT_EQ(numbers, (std::vector<std::int64_t>{INT64_MIN, 0, INT64_MAX}));
    EXPECT_EQ(names, (std::vector<std::optional<std::string>>{text, std::nullopt, ""}));
    numbers.clear();
    TRY(connection.run(kFind, {0}, [&](Row const& row) { numbers.push_back(row.integer(0)); }));
    EXPECT_EQ(numbers, std::vector<std::int64_t>{0});
    return {};
  }));
}

TEST_P(DatabaseTest, a_batch_does_as_many_single_statements) {
  std::vector<std::vector<Param>> rows;
  for (std::int64_t i = 1; i <= 1300; ++i)
    rows.push_back({i, "x"});
  auto const changed =
      database_->write([&](Connection& connection) { return connection.run_each(kInsert, rows); });
  EXPECT_EQ(changed.value(), 1300);
  EXPECT_EQ(count_and_sum(), (std::pair<std::int64_t, std::int64_t>(1300, 1300 * 1301 / 2)));
  auto const again =
      database_->write([&](Connection& connection) { return connection.run_each(kInsert, rows); });
  EXPECT_EQ(again.error().fault, Fault::conflict);
  EXPECT_EQ(count_and_sum().first, 1300);
}

TEST_P(DatabaseTest, many_shapes_of_statements_are_served) {
  ASSERT_TRUE(insert(1));
  for (int i = 0; i < 600; ++i) {
    auto const text = "SELECT number + " + std::to_string(i) + " FROM numbers";
    std::int64_t found = -1;
    ASSERT_TRUE(database_->read_single([&](Connection& connection) {
      return connection.run({"shape", text}, {}, [&](Row const& row) { found = row.integer(0); });
    }));
    ASSERT_EQ(found, 1 + i);
  }
}

TEST_P(DatabaseTest, a_statement_that_fails_voids_its_unit) {
  auto const failed = run({"wrong", "SELECT nothing FROM nowhere"});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().fault, Fault::internal);
  EXPECT_TRUE(insert(1));
  EXPECT_TRUE(run(kChange, {1}));
  EXPECT_EQ(count_and_sum().second, 2);
}

// Was `store_full`, which callers were told as a quota of theirs.
TEST_P(DatabaseTest, a_full_disk_is_an_outage_until_it_has_room_again) {
  if (GetParam() != TestEngine::sqlite) GTEST_SKIP() << "has no size limit of its own";
  ops::Metrics metrics;
  TimedDatabase timed(store_->open().value(), metrics);
  auto const write = [&](std::string_view text) {
    return timed.write([&](Connection& connection) -> Result<> {
      TRY(connection.run({"statement", text}, {}));
      return {};
    });
  };
  auto const look = [&] {
    return timed.read_anew([](Connection& connection) { return connection.run(kCount, {}); });
  };
  std::string const longer = "INSERT INTO numbers VALUES (1, hex(zeroblob(100000)))";
  EXPECT_TRUE(write("PRAGMA max_page_count = 1")); // the least: as many as there are
  EXPECT_TRUE(look());
  auto const full = write(longer);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().fault, Fault::unavailable);
  EXPECT_EQ(full.error().detail, "The disk of the database is full.");

  EXPECT_EQ(look().error().detail, full.error().detail);
  EXPECT_TRUE(write("UPDATE numbers SET name = name")) << "less may fit in";
  EXPECT_FALSE(look());
  EXPECT_TRUE(write("PRAGMA max_page_count = 100000"));
  EXPECT_TRUE(write(longer));
  EXPECT_TRUE(look());
}

TEST_P(DatabaseTest, a_newer_schema_is_refused) {
  ASSERT_TRUE(run({"newer", "INSERT INTO migrations (number, name) VALUES (9999, 'contract_x')"}));
  database_.reset();
  auto const refused = store_->open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::unavailable);
}

} // namespace vitrine::store
