#include "service/upload_watch.hpp"

#include <gtest/gtest.h>

namespace vitrine::service {
namespace {

using Rows = std::vector<store::RunningUpload>;

store::RunningUpload row(std::string id, std::int64_t touched_at_us) {
  return {.id = {std::move(id)}, .touched_at = Time{touched_at_us}};
}

std::vector<std::string> ids(Rows const& rows) {
  std::vector<std::string> out;
  for (auto const& each : rows)
    out.push_back(each.id.text);
  return out;
}

/// The dead ones after the last of so many looks, none after those before it.
std::vector<std::string> after(UploadWatch& watch, int looks, Rows const& rows) {
  for (int i = 1; i < looks; ++i)
    EXPECT_TRUE(watch.look(rows).empty()) << i;
  return ids(watch.look(rows));
}

constexpr int kEnough = UploadWatch::kLooksMax + 1; // with the one that found it first

} // namespace

TEST(UploadWatchTest, dead_is_what_stayed_as_it_was) {
  UploadWatch watch;
  EXPECT_EQ(after(watch, kEnough, {row("a", 1)}), std::vector<std::string>{"a"});
  EXPECT_EQ(ids(watch.look({row("a", 1)})), std::vector<std::string>{"a"}) << "until it is gone";
  EXPECT_TRUE(watch.look({}).empty());
}

TEST(UploadWatchTest, any_change_shows_life_whatever_the_time_is) {
  UploadWatch watch;
  EXPECT_TRUE(after(watch, kEnough - 1, {row("a", 5), row("b", 5)}).empty());
  EXPECT_EQ(ids(watch.look({row("a", 4), row("b", 5)})), std::vector<std::string>{"b"});
  EXPECT_EQ(after(watch, kEnough - 1, {row("a", 4)}), std::vector<std::string>{"a"});
}

// After an outage all rows are old: the first server back ended the uploads of all others.
TEST(UploadWatchTest, nobody_is_dead_for_what_happened_while_nobody_could_look) {
  UploadWatch watch;
  EXPECT_TRUE(after(watch, kEnough - 1, {row("a", 1)}).empty());
  watch.forget();
  EXPECT_EQ(after(watch, kEnough, {row("a", 1)}), std::vector<std::string>{"a"});
}

// While nobody could write, whoever had no upload of its own saw nothing change.
TEST(UploadWatchTest, it_suspects_before_it_tells) {
  UploadWatch watch;
  for (int look = 0; look < UploadWatch::kLooksMax - 1; ++look) {
    EXPECT_TRUE(watch.look({row("a", 1)}).empty());
    EXPECT_FALSE(watch.suspects()) << look;
  }
  EXPECT_TRUE(watch.look({row("a", 1)}).empty());
  EXPECT_TRUE(watch.suspects());
  watch.forget();
  EXPECT_FALSE(watch.suspects());
}

TEST(UploadWatchTest, a_row_that_came_back_is_a_new_one) {
  UploadWatch watch;
  EXPECT_TRUE(after(watch, kEnough - 1, {row("a", 1)}).empty());
  EXPECT_TRUE(watch.look({}).empty());
  EXPECT_TRUE(watch.look({row("a", 1)}).empty());
}

} // namespace vitrine::service
