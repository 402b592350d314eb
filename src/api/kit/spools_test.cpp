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

TEST_F(SpoolsTest, AllBodiesTogetherHaveALimitAndOneHolderTakesHalf) {
  auto one = begin("key");
  auto two = begin("key");
  EXPECT_EQ(write(*one, 100), "good");
  EXPECT_EQ(write(*two, 50), "good");
  EXPECT_EQ(write(*two, 1), "unavailable");
  auto other = begin("other");
  auto more = begin("other");
  EXPECT_EQ(write(*other, 100), "good");
  EXPECT_EQ(write(*more, 50), "good");
  auto third = begin("third");
  EXPECT_EQ(write(*third, 1), "unavailable");
  one.reset();
  EXPECT_EQ(write(*third, 100), "good");
  EXPECT_EQ(write(*two, 1), "unavailable");
  more.reset();
  EXPECT_EQ(write(*two, 50), "good");
}

TEST_F(SpoolsTest, TheyAreFewAndFewerOfOneHolder) {
  std::vector<std::unique_ptr<Spool>> kept;
  for (std::string const holder : {"a", "b", "c", "d"}) {
    for (int i = 0; i < 16; ++i)
      kept.push_back(begin(holder));
    EXPECT_EQ(spools->begin(holder, 1).error().fault, Fault::unavailable) << holder;
  }
  EXPECT_EQ(spools->begin("e", 1).error().fault, Fault::unavailable) << "64 are there";
  kept.pop_back();
  kept.push_back(begin("e"));
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
