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
  std::unique_ptr<Spool> begin(std::string_view holder) {
    return spools->begin(holder, std::nullopt).value();
  }

  std::filesystem::path const folder;
  std::unique_ptr<Spools> spools;
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
  EXPECT_EQ(spools->begin("key", 101).error().fault, Fault::too_large);
  auto const spool = spools->begin("key", 100).value();
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

TEST_F(SpoolsTest, TheyAreFewAndFewerOfOneHolder) {
  std::vector<std::unique_ptr<Spool>> kept;
  std::vector<int> counts;
  for (std::string const holder : {"a", "b", "c", "d", "e", "f", "g"}) {
    auto& count = counts.emplace_back(0);
    for (auto spool = spools->begin(holder, 1); spool; spool = spools->begin(holder, 1)) {
      kept.push_back(std::move(*spool));
      ++count;
    }
  }
  EXPECT_EQ(counts, (std::vector<int>{16, 16, 16, 8, 4, 2, 1}));
  EXPECT_EQ(spools->begin("h", 1).error().fault, Fault::unavailable);
  kept.clear();
  EXPECT_TRUE(spools->begin("a", 1));
}

TEST_F(SpoolsTest, ADirectoryWithoutFilesIsTold) {
  auto const opened = Spools::open({.directory = "/proc/nothing", .size_bytes_max = 1});
  EXPECT_EQ(opened.error().fault, Fault::unavailable);
  EXPECT_TRUE(opened.error().detail.starts_with("spool.directory: /proc/nothing: "));
}

} // namespace
} // namespace vitrine::api
