#include "api/kit/spools.hpp"

#include <filesystem>
#include <gtest/gtest.h>
#include <unistd.h>
#include <vector>

namespace vitrine::api {
namespace {

class SpoolsTest : public ::testing::Test {
protected:
  SpoolsTest()
      : folder(std::filesystem::temp_directory_path() / ("spools-" + std::to_string(::getpid()))) {
    spools = Spools::open({.directory = folder.string(),
                           .size_bytes_max = 100,
                           .total_bytes_max = 300,
                           .time = std::chrono::seconds(1)})
                 .value();
  }
  ~SpoolsTest() override { std::filesystem::remove_all(folder); }

  static std::string write(Spool& spool, std::size_t bytes) {
    std::vector<std::byte> const data(bytes, std::byte{7});
    auto const written = spool.write(data);
    return written ? "good" : std::string(name_of(written.error().fault));
  }
  Result<std::unique_ptr<Spool>> try_begin(std::string const& key, std::string const& network) {
    return spools->begin({key, network}, std::nullopt);
  }
  std::unique_ptr<Spool> begin(std::string const& key, std::string const& network = "home") {
    return try_begin(key, network).value();
  }
  /// As many as there may be.
  int fill(std::string const& key, std::string const& network) {
    int count = 0;
    for (auto spool = try_begin(key, network); spool; spool = try_begin(key, network)) {
      kept.push_back(std::move(*spool));
      ++count;
    }
    return count;
  }

  std::filesystem::path const folder;
  std::unique_ptr<Spools> spools;
  std::vector<std::unique_ptr<Spool>> kept;
};

TEST_F(SpoolsTest, GivesBackWhatWasWrittenAndLeavesNoName) {
  auto const spool = begin("key");
  std::vector<std::byte> data(100);
  for (std::size_t i = 0; i < data.size(); ++i)
    data[i] = static_cast<std::byte>(i);
  ASSERT_TRUE(spool->write(std::span(data).first(30)));
  ASSERT_TRUE(spool->write(std::span(data).subspan(30)));
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  std::vector<std::byte> read(140);
  EXPECT_EQ(spool->read(std::span(read).first(64)).value(), 64U);
  EXPECT_EQ(spool->read(std::span(read).subspan(64)).value(), 36U);
  EXPECT_EQ(spool->read(read).value(), 0U);
}

TEST_F(SpoolsTest, ABodyHasALimit) {
  EXPECT_EQ(spools->begin({"key", "home"}, 101).error().fault, Fault::too_large);
  auto const spool = spools->begin({"key", "home"}, 100).value();
  EXPECT_EQ(write(*spool, 100), "good");
  EXPECT_EQ(write(*spool, 1), "too_large");
}

// Two keys that anybody may know took all of it.
TEST_F(SpoolsTest, AHolderTakesHalfOfWhatTheOthersLeave) {
  auto one = begin("a");
  auto two = begin("a");
  EXPECT_EQ(write(*one, 100), "good");
  EXPECT_EQ(write(*two, 50), "good");
  EXPECT_EQ(write(*two, 1), "unavailable");
  auto other = begin("b");
  EXPECT_EQ(write(*other, 75), "good");
  EXPECT_EQ(write(*other, 1), "unavailable");
  auto third = begin("c");
  EXPECT_EQ(write(*third, 38), "unavailable");
  EXPECT_EQ(write(*third, 37), "good");
  EXPECT_EQ(spools->taken().count, 4U);
  EXPECT_EQ(spools->taken().bytes, 262U);
  one.reset();
  EXPECT_EQ(write(*third, 31), "good");
  EXPECT_EQ(write(*two, 1), "good");
  other.reset();
  third.reset();
  two.reset();
  EXPECT_EQ(spools->taken().count, 0U);
  EXPECT_EQ(spools->taken().bytes, 0U);
}

TEST_F(SpoolsTest, AKeyTakesHalfOfAllFromManyNetworks) {
  auto const one = begin("a", "1");
  auto const two = begin("a", "2");
  auto const third = begin("a", "3");
  EXPECT_EQ(write(*one, 100), "good");
  EXPECT_EQ(write(*two, 51), "unavailable");
  EXPECT_EQ(write(*two, 50), "good");
  EXPECT_EQ(write(*third, 1), "unavailable");
  auto const other = begin("b", "1");
  EXPECT_EQ(write(*other, 75), "good");
}

// Whoever knows seven keys shuts out all others: docs/access-keys.md says so.
TEST_F(SpoolsTest, TheyAreFewAndFewerOfOneHolder) {
  std::vector<int> counts;
  for (auto const* const key : {"a", "b", "c", "d", "e", "f", "g"})
    counts.push_back(fill(key, "home"));
  EXPECT_EQ(counts, (std::vector<int>{16, 16, 16, 8, 4, 2, 1}));
  EXPECT_EQ(try_begin("h", "home").error().fault, Fault::unavailable);
  kept.clear();
  EXPECT_TRUE(try_begin("a", "home"));
}

TEST_F(SpoolsTest, OfOneKeyTheyAreHalfOfAllFromManyNetworks) {
  std::vector<int> counts;
  for (auto const* const network : {"1", "2", "3", "4"})
    counts.push_back(fill("a", network));
  EXPECT_EQ(counts, (std::vector<int>{16, 16, 0, 0}));
  EXPECT_EQ(fill("b", "1"), 16);
  kept.clear();
  EXPECT_EQ(fill("a", "4"), 16);
}

TEST_F(SpoolsTest, ADirectoryWithoutFilesIsTold) {
  auto const opened = Spools::open({.directory = "/proc/nothing", .size_bytes_max = 1});
  EXPECT_EQ(opened.error().fault, Fault::unavailable);
  EXPECT_TRUE(opened.error().detail.starts_with("spool.directory: /proc/nothing: "));
}

} // namespace
} // namespace vitrine::api
