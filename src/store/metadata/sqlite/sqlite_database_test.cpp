#include "store/metadata/sqlite/sqlite_database.hpp"

#include <filesystem>
#include <gtest/gtest.h>
#include <latch>
#include <thread>
#include <unistd.h>
#include <vector>

namespace vitrine::store::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr sql::Statement kInsert{"insert", "INSERT INTO numbers (number) VALUES ($1)"};
constexpr sql::Statement kCreate{"create", "CREATE TABLE numbers (number INTEGER PRIMARY KEY)"};
constexpr sql::Statement kCount{"count", "SELECT COUNT(*), COALESCE(SUM(number), 0) FROM numbers"};

class SqliteDatabaseTest : public ::testing::Test {
protected:
  SqliteDatabaseTest() {
    auto pattern = (fs::temp_directory_path() / "vitrine-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    reopen();
    EXPECT_TRUE(database_->write(
        [](Connection& connection) -> Result<> { return done(connection.run(kCreate, {})); }));
  }
  ~SqliteDatabaseTest() override {
    database_.reset();
    fs::remove_all(directory_);
  }

  static Result<> done(Result<std::int64_t> const& changed) {
    if (!changed) return Error(changed.error());
    return {};
  }

  void reopen() {
    database_.reset();
    database_ = SqliteDatabase::open((directory_ / "db").string()).value();
  }

  Result<> insert(std::int64_t number) {
    return database_->write([&](Connection& connection) -> Result<> {
      TRY(connection.run(kInsert, {number}));
      if (number % 10 == 0) return error(Fault::conflict, "a round number");
      return {};
    });
  }

  std::pair<std::int64_t, std::int64_t> count_and_sum() {
    std::pair<std::int64_t, std::int64_t> out;
    EXPECT_TRUE(database_->read([&](Connection& connection) -> Result<> {
      return done(connection.run(kCount, {},
                                 [&](Row const& row) { out = {row.integer(0), row.integer(1)}; }));
    }));
    return out;
  }

  fs::path directory_;
  std::unique_ptr<SqliteDatabase> database_;
};

} // namespace

TEST_F(SqliteDatabaseTest, units_of_one_commit_fail_each_for_itself) {
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
  EXPECT_EQ(count_and_sum(), expected) << "after the log was read again";
}

TEST_F(SqliteDatabaseTest, a_unit_that_throws_fails_alone) {
  auto const thrown = database_->write(
      [](Connection&) -> Result<> { throw std::runtime_error("a bug of this test"); });
  ASSERT_FALSE(thrown);
  EXPECT_EQ(thrown.error().fault, Fault::internal);
  EXPECT_TRUE(insert(1));
}

TEST_F(SqliteDatabaseTest, a_newer_schema_is_refused) {
  ASSERT_TRUE(database_->write([](Connection& connection) -> Result<> {
    return done(connection.run(
        sql::Statement{"newer", "INSERT INTO migrations (number, name) VALUES (9999, 'x')"}, {}));
  }));
  database_.reset();
  auto const refused = SqliteDatabase::open((directory_ / "db").string());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::unavailable);
}

} // namespace vitrine::store::sqlite
