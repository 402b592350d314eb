#include "service/policy/in_force.hpp"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace vitrine::service::policy {
namespace {

Policy ruled(std::string_view rule) {
  return Policy::parse(defaults(), "\"get_images\": \"" + std::string(rule) + "\"\n", "test")
      .value();
}

} // namespace

TEST(PolicyInForce, each_holder_answers_its_own_and_a_replacement_counts_at_once) {
  InForce one(ruled("@"));
  InForce other(ruled("!"));
  auto const action = one.current().action("get_images").value();
  EXPECT_TRUE(one.current().allows(action, {}));
  EXPECT_FALSE(other.current().allows(action, {}));
  EXPECT_TRUE(one.current().allows(action, {}));
  one.replace(ruled("!"));
  EXPECT_FALSE(one.current().allows(action, {}));
}

TEST(PolicyInForce, readers_see_whole_policies_while_they_are_replaced) {
  InForce held(ruled("role:a"));
  auto const action = held.current().action("get_images").value();
  std::vector<std::string> const a{"a"};
  std::vector<std::string> const b{"b"};
  Credentials one;
  Credentials other;
  one.roles = a;
  other.roles = b;
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!done) {
        auto const& policy = held.current();
        if (policy.allows(action, one) == policy.allows(action, other)) ++wrong;
      }
    });
  }
  for (int i = 0; i < 200; ++i)
    held.replace(ruled(i % 2 == 0 ? "role:b" : "role:a"));
  done = true;
  for (auto& reader : readers)
    reader.join();
  EXPECT_EQ(wrong, 0);
}

} // namespace vitrine::service::policy
