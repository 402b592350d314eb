#include "identity/caller_cache.hpp"

#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <vector>

namespace vitrine::identity {
namespace {

TEST(CallerCache_, keeps_for_its_lifetime_and_never_beyond_the_token) {
  CallerCache cache(10);
  auto const caller = std::make_shared<model::Caller const>();
  cache.keep("long", caller, {0}, {100}, cache.generation());
  cache.keep("short", caller, {0}, {5}, cache.generation());
  EXPECT_EQ(cache.find("long", {9}), caller);
  EXPECT_EQ(cache.find("long", {10}), nullptr);
  EXPECT_EQ(cache.find("short", {4}), caller);
  EXPECT_EQ(cache.find("short", {5}), nullptr);
  EXPECT_EQ(cache.find("other", {0}), nullptr);
}

TEST(CallerCache_, never_believes_what_was_made_across_a_change) {
  CallerCache cache(10);
  auto const before = cache.generation();
  cache.drop_all();
  cache.keep("t", std::make_shared<model::Caller const>(), {0}, {100}, before);
  EXPECT_EQ(cache.find("t", {0}), nullptr);
}

// A read that is answered later looks first, and asks anew where that finds nobody.
TEST(CallerCache_, counts_a_token_that_is_asked_for_twice_once) {
  CallerCache cache(10);
  EXPECT_EQ(cache.find_first("t", {0}), nullptr);
  EXPECT_EQ(cache.find("t", {0}), nullptr);
  EXPECT_EQ(cache.lookups().misses, 1U);
  cache.keep("t", std::make_shared<model::Caller const>(), {0}, {100}, cache.generation());
  EXPECT_NE(cache.find_first("t", {0}), nullptr);
  EXPECT_EQ(cache.lookups().hits, 1U);
  EXPECT_EQ(cache.lookups().misses, 1U);
}

TEST(CallerCache_, is_bounded_and_off_at_zero) {
  CallerCache cache(1'000'000);
  auto const caller = std::make_shared<model::Caller const>();
  std::size_t held = 0;
  for (int i = 0; i < 100'000; ++i) {
    cache.keep(new_hex_id() + std::to_string(i), caller, {0}, {100}, cache.generation());
  }
  held = static_cast<std::size_t>(caller.use_count());
  EXPECT_LE(held, 16U * 1024U + 1U);
  EXPECT_GT(held, 1'000U);
  CallerCache off(0);
  off.keep("t", caller, {0}, {100}, off.generation());
  EXPECT_EQ(off.find("t", {0}), nullptr);
}

TEST(CallerCache_, serves_many_threads) {
  CallerCache cache(1'000'000);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&cache, t] {
      for (int i = 0; i < 2'000; ++i) {
        auto const token = std::to_string(i % 50);
        cache.keep(token, std::make_shared<model::Caller const>(), {0}, {100}, cache.generation());
        if (t == 0 && i % 100 == 0) cache.drop_all();
        auto const found = cache.find(token, {1});
        EXPECT_TRUE(!found || found->user.empty());
      }
    });
  }
  for (auto& thread : threads)
    thread.join();
}

} // namespace
} // namespace vitrine::identity
