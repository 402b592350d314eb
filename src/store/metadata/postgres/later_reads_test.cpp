// Reads that nobody waits for, when memory is short or the one who asked throws.
#include "store/metadata/engines_test.hpp"

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <future>
#include <gtest/gtest.h>
#include <new>
#include <pthread.h>

// Sanitizers bring the operators that memory comes from.
#ifdef __has_feature
#define VITRINE_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define VITRINE_SANITIZED 0
#endif

namespace {

// While it is set the thread that reads gets no memory.
std::atomic<bool> short_of_memory{false};

} // namespace

#if !VITRINE_SANITIZED
namespace {

bool gets_none() {
  if (!short_of_memory.load(std::memory_order_relaxed)) return false;
  std::array<char, 16> name{};
  ::pthread_getname_np(::pthread_self(), name.data(), name.size());
  return std::strcmp(name.data(), "reads") == 0;
}

} // namespace

// Of all tests in this program. Inlined, the compiler takes them for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  if (gets_none()) throw std::bad_alloc();
  if (auto* const memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*bytes*/) noexcept {
  std::free(memory);
}
#endif

namespace vitrine::store::postgres {
namespace {

constexpr sql::Statement kTell{"tell", "SELECT $1::text"};

class LaterReadsTest : public ::testing::TestWithParam<LaterRead> {
protected:
  using Found = Result<std::string>;

  void SetUp() override {
    if (test_cluster_url().empty()) GTEST_SKIP() << "VITRINE_TEST_POSTGRES_URL names no cluster";
    store_ = std::make_unique<TestStore>("", TestEngine::postgres);
    database_ =
        PostgresDatabase::open({.connection = {.url = store_->url()}, .pool_size = 2}).value();
    let_a_connection_lie_ready();
  }
  void TearDown() override {
    database_.reset();
    store_.reset();
  }

  void let_a_connection_lie_ready() {
    ASSERT_TRUE(database_->read_single([](Connection& connection) { return tell(connection); }));
  }
  static Found tell(Connection& connection) {
    std::string found;
    TRY(connection.run(kTell, {"a text that needs memory of its own"},
                       [&](Row const& row) { found = row.string(0); }));
    return found;
  }
  /// What is read later; `heard` is called before it is taken.
  Found read(
      std::function<void()> const& heard = [] {},
      std::function<Found(Connection&)> const& work = tell) {
    auto promise = std::make_shared<std::promise<Found>>();
    auto future = promise->get_future();
    auto done = [promise = std::move(promise), &heard](Found found) {
      heard();
      promise->set_value(std::move(found));
    };
    EXPECT_TRUE(database_->read_later(GetParam(), work, std::move(done)));
    return future.get();
  }

  std::unique_ptr<TestStore> store_;
  std::unique_ptr<PostgresDatabase> database_;
};

// It ended the process.
TEST_P(LaterReadsTest, want_of_memory_is_an_outage_of_what_is_in_hand) {
  if (VITRINE_SANITIZED) GTEST_SKIP() << "memory is the sanitizer's";
  EXPECT_TRUE(read());
  short_of_memory = true;
  auto const outcome = read();
  short_of_memory = false;
  EXPECT_EQ(outcome.error().fault, Fault::unavailable);
  let_a_connection_lie_ready(); // what it was thrown on is no use any more
  EXPECT_TRUE(read()) << "the thread goes on";
}

// It ended the process, and whoever could not take that either waited for ever.
TEST_P(LaterReadsTest, who_cannot_take_what_was_found_is_told_of_an_outage) {
  int times = 0;
  auto const outcome = read([&] {
    if (++times < 5) throw std::bad_alloc();
  });
  EXPECT_EQ(outcome.error().fault, Fault::unavailable);
  EXPECT_EQ(times, 5);
  EXPECT_TRUE(read());
}

TEST_P(LaterReadsTest, a_unit_that_throws_is_an_outage_so_that_it_runs_for_those_who_wait) {
  int times = 0;
  auto const outcome = read([] {},
                            [&](Connection& connection) {
                              if (++times == 2) throw 1; // not even an exception of the library
                              return tell(connection);
                            });
  EXPECT_EQ(outcome.error().fault, Fault::unavailable);
  EXPECT_TRUE(read());
}

INSTANTIATE_TEST_SUITE_P(Both, LaterReadsTest, ::testing::Values(LaterRead::row, LaterRead::page));

} // namespace
} // namespace vitrine::store::postgres
