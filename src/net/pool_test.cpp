#include "net/pool.hpp"

#include <atomic>
#include <future>
#include <gtest/gtest.h>
#include <unistd.h>

namespace vitrine::net {
namespace {

TEST(Pool, RunsEveryJobBeforeItEnds) {
  std::atomic<int> ran{0};
  {
    Pool pool("test", 3, 100);
    for (int i = 0; i < 100; ++i)
      EXPECT_TRUE(pool.submit([&] { ++ran; }));
  }
  EXPECT_EQ(ran, 100);
}

TEST(Pool, RefusesBeyondItsQueue) {
  std::promise<void> started;
  std::promise<void> go;
  std::shared_future<void> const gone = go.get_future().share();
  Pool pool("test", 1, 2);
  EXPECT_TRUE(pool.submit([&, gone] {
    started.set_value();
    gone.wait();
  }));
  started.get_future().wait();
  EXPECT_EQ(pool.queued(), 0U);
  EXPECT_TRUE(pool.submit([] {}));
  EXPECT_TRUE(pool.submit([] {}));
  EXPECT_EQ(pool.queued(), 2U);
  EXPECT_FALSE(pool.submit([] {}));
  go.set_value();
}

TEST(Pool, WithoutAQueueTakesOneJobAThread) {
  std::promise<void> go;
  std::shared_future<void> const gone = go.get_future().share();
  Pool pool("test", 2, 0);
  EXPECT_TRUE(pool.submit([gone] { gone.wait(); }));
  EXPECT_TRUE(pool.submit([gone] { gone.wait(); }));
  EXPECT_FALSE(pool.submit([] {}));
  go.set_value();
}

TEST(Pool, SurvivesABrokenPipe) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  std::promise<int> code;
  Pool pool("test", 1, 1);
  EXPECT_TRUE(pool.submit([&] { code.set_value(::write(ends[1], "x", 1) < 0 ? errno : 0); }));
  EXPECT_EQ(code.get_future().get(), EPIPE);
  ::close(ends[1]);
}

} // namespace
} // namespace vitrine::net
