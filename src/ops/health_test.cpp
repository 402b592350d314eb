#include "ops/health.hpp"

#include <gtest/gtest.h>

namespace vitrine::ops {

using namespace std::chrono_literals;

TEST(Health, is_ready_while_the_database_answers) {
  Health health;
  Health::Clock::time_point const now{1h};
  health.store_looked_at(true, now);
  EXPECT_EQ(health.unready_because(now), "The database cannot be read or written.")
      << "nobody looked yet";
  health.database_looked_at(true, now);
  EXPECT_EQ(health.unready_because(now), std::nullopt);
  health.database_looked_at(false, now);
  EXPECT_EQ(health.unready_because(now), "The database cannot be read or written.");
}

TEST(Health, a_look_that_does_not_return_counts_as_no_answer) {
  Health health;
  Health::Clock::time_point const now{1h};
  health.store_looked_at(true, now);
  health.database_looked_at(true, now);
  EXPECT_EQ(health.unready_because(now + Health::kAnswerAgeMax), std::nullopt);
  EXPECT_EQ(health.unready_because(now + Health::kAnswerAgeMax + 1ms),
            "The database cannot be read or written.");
}

TEST(Health, is_not_ready_while_its_clock_is_wrong) {
  Health health;
  Health::Clock::time_point const now{1h};
  health.database_looked_at(true, now);
  health.store_looked_at(false, now);
  health.clock_looked_at(false);
  EXPECT_TRUE(health.clock_is_wrong());
  EXPECT_EQ(health.unready_because(now), "The clock of the server is wrong.");
  health.clock_looked_at(true);
  EXPECT_FALSE(health.clock_is_wrong());
  EXPECT_EQ(health.unready_because(now), "The image store does not answer.");
}

TEST(Health, is_ready_while_the_store_answers) {
  Health health;
  Health::Clock::time_point const now{1h};
  health.database_looked_at(true, now);
  EXPECT_EQ(health.unready_because(now), "The image store does not answer.") << "nobody looked yet";
  health.store_looked_at(true, now - Health::kStoreAgeMax);
  EXPECT_EQ(health.unready_because(now), std::nullopt);
  EXPECT_EQ(health.unready_because(now + 1ms), "The image store does not answer.");
  health.store_looked_at(true, now);
  EXPECT_EQ(health.unready_because(now), std::nullopt);
  health.store_looked_at(false, now);
  EXPECT_EQ(health.unready_because(now), "The image store does not answer.");
}

TEST(Health, is_not_ready_while_it_drains) {
  Health health;
  Health::Clock::time_point const now{1h};
  health.store_looked_at(true, now);
  health.database_looked_at(true, now);
  health.drain();
  EXPECT_EQ(health.unready_because(now), "The server is draining.");
}

} // namespace vitrine::ops
