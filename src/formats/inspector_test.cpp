// The images of tests/data/images, each in chunks of several sizes, against the verdict of the
// manifest.
#include "base/text.hpp"
#include "formats/inspector.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <iterator>
#include <random>
#include <unistd.h>
#include <vector>

namespace vitrine::formats {
namespace {

namespace fs = std::filesystem;

struct Case {
  std::string file;
  std::string disk_format;
  std::string container_format;
  std::string verdict;
  std::string virtual_size;
};

// The archive, unpacked once into a folder of its own that vanishes with the process.
class Images : public testing::Environment {
public:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("vitrine-images-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
    auto const unpack = "cd '" + folder_.string() + "' && cmake -E tar xf '" +
                        std::string(VITRINE_TEST_DATA) + "/images/images.tar.xz'";
    ASSERT_EQ(std::system(unpack.c_str()), 0) << unpack;
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::vector<std::byte> bytes_of(std::string const& file) {
    std::ifstream in(folder_ / file, std::ios::binary);
    EXPECT_TRUE(in) << file;
    std::string const text{std::istreambuf_iterator<char>(in), {}};
    auto const bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
  }

private:
  static inline fs::path folder_;
};

[[maybe_unused]] auto* const environment = testing::AddGlobalTestEnvironment(new Images);

std::vector<Case> manifest() {
  std::ifstream in(std::string(VITRINE_TEST_DATA) + "/images/manifest.tsv");
  std::vector<Case> cases;
  std::string line;
  std::getline(in, line); // names of the columns
  while (std::getline(in, line)) {
    auto const fields = text::split(line, '\t');
    cases.push_back({std::string(fields.at(0)), std::string(fields.at(1)),
                     std::string(fields.at(2)), std::string(fields.at(4)),
                     std::string(fields.at(5))});
  }
  return cases;
}

using ChunkSizes = std::function<std::size_t()>;

Finding inspect(std::span<std::byte const> bytes, ChunkSizes const& next_size) {
  Inspector inspector;
  while (!bytes.empty()) {
    auto const count = std::min(bytes.size(), next_size());
    inspector.feed(bytes.first(count));
    bytes = bytes.subspan(count);
  }
  return inspector.finish();
}

class Manifest : public testing::TestWithParam<Case> {};

TEST_P(Manifest, verdict_and_virtual_size) {
  auto const& image = GetParam();
  auto const bytes = Images::bytes_of(image.file);
  auto const finding = inspect(bytes, [&] { return bytes.size(); });
  EXPECT_EQ(finding.size_bytes, bytes.size());

  auto const answer = check(finding, image.disk_format, image.container_format);
  if (image.verdict != "either") {
    EXPECT_EQ(answer.has_value(), image.verdict == "accept")
        << (answer ? answer->disk_format : answer.error().detail);
  }
  if (!answer) {
    EXPECT_EQ(answer.error().kind(), Kind::unsupported_media);
    EXPECT_NE(answer.error().detail.find(image.disk_format), std::string::npos);
    EXPECT_NE(answer.error().detail.find(name_of(finding.format)), std::string::npos);
  } else if (!image.virtual_size.empty()) {
    ASSERT_TRUE(answer->virtual_size_bytes);
    EXPECT_EQ(std::to_string(*answer->virtual_size_bytes), image.virtual_size);
  }
}

TEST_P(Manifest, chunks_do_not_matter) {
  auto const bytes = Images::bytes_of(GetParam().file);
  auto const whole = inspect(bytes, [&] { return bytes.size(); });
  for (std::size_t const fixed : {1U, 511U, 4096U, 65'537U}) {
    if (fixed == 1 && bytes.size() > 300'000) continue;
    EXPECT_EQ(inspect(bytes, [&] { return fixed; }), whole) << "chunks of " << fixed;
  }
  auto const seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 5; ++round) {
    std::uniform_int_distribution<std::size_t> size(1, std::size_t{1} << (8 + 3 * round));
    EXPECT_EQ(inspect(bytes, [&] { return size(random); }), whole);
  }
}

// Wherever an upload of a structured file breaks off, the rest is never taken for a whole image.
TEST_P(Manifest, a_cut_anywhere_is_no_crash) {
  auto const bytes = Images::bytes_of(GetParam().file);
  auto const seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 40; ++round) {
    auto const limit = round < 20 ? std::min<std::size_t>(bytes.size(), 4096) : bytes.size();
    auto const length = std::uniform_int_distribution<std::size_t>(0, limit)(random);
    auto const part = std::span(bytes).first(length);
    auto const finding = inspect(part, [&] { return std::size_t{65'536}; });
    EXPECT_EQ(finding.size_bytes, length);
    if (nature_of(finding.format) == Nature::plain) continue;
    EXPECT_FALSE(finding.unsafe && finding.unsafe->empty());
  }
}

INSTANTIATE_TEST_SUITE_P(Images, Manifest, testing::ValuesIn(manifest()), [](auto const& row) {
  auto name = row.param.file;
  std::ranges::replace_if(name, [](char c) { return !text::is_alnum(c); }, '_');
  return name;
});

TEST(ManifestFile, holds_every_image) { EXPECT_EQ(manifest().size(), 67U); }

// Damage in the headers of each honest image: never a crash, and the same answer for any chunks.
TEST(Inspector, flipped_bytes_in_headers) {
  auto const seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (auto const& image : manifest()) {
    if (image.verdict != "accept") continue;
    auto bytes = Images::bytes_of(image.file);
    std::vector<std::size_t> used; // where something else than zero stands
    for (std::size_t i = 0; i < bytes.size() && used.size() < 4096; ++i) {
      if (bytes[i] != std::byte{0}) used.push_back(i);
    }
    for (int round = 0; round < 20 && !used.empty(); ++round) {
      auto const at = used[std::uniform_int_distribution<std::size_t>(0, used.size() - 1)(random)];
      auto const before = bytes[at];
      bytes[at] ^= static_cast<std::byte>(1U << random() % 8);
      EXPECT_EQ(inspect(bytes, [] { return std::size_t{1000}; }),
                inspect(bytes, [] { return std::size_t{1} << 20U; }))
          << image.file << " byte " << at;
      bytes[at] = before;
    }
  }
}

TEST(Inspector, tells_a_hostile_image_before_its_end) {
  auto const bytes = Images::bytes_of("poly_iso_qcow2.iso");
  Inspector inspector;
  EXPECT_FALSE(inspector.early());
  inspector.feed(bytes);
  inspector.feed(std::vector<std::byte>(kHeadBytes));
  ASSERT_TRUE(inspector.early());
  EXPECT_EQ(check(*inspector.early(), "iso", "bare").error().fault, Fault::format_unsafe);
}

TEST(Inspector, finish_may_be_repeated) {
  Inspector inspector;
  inspector.feed(Images::bytes_of("qcow2_ok_v3.qcow2"));
  auto const first = inspector.finish();
  EXPECT_EQ(first.virtual_size_bytes, 1'048'576U);
  EXPECT_EQ(inspector.finish(), first);
}

} // namespace
} // namespace vitrine::formats
