// A fuzz target without libFuzzer: each seed of its corpus is a test, so that a target that does
// not fit the code any more shows in every build.
#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

// corpus/<name> beside the program fuzz_<name>, as the build filled it.
std::vector<fs::path> seeds() {
  auto const program = fs::read_symlink("/proc/self/exe");
  auto const name = program.filename().string().substr(std::string("fuzz_").size());
  std::vector<fs::path> found;
  for (auto const& entry : fs::directory_iterator(program.parent_path() / "corpus" / name))
    found.push_back(entry.path());
  std::ranges::sort(found);
  return found;
}

std::string name_of(testing::TestParamInfo<fs::path> const& info) {
  auto name = info.param.filename().string();
  std::ranges::replace_if(name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

class Seed : public testing::TestWithParam<fs::path> {};

} // namespace

TEST_P(Seed, is_survived) {
  std::ifstream file(GetParam(), std::ios::binary);
  ASSERT_TRUE(file);
  std::vector<char> const bytes{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(
      LLVMFuzzerTestOneInput(reinterpret_cast<std::uint8_t const*>(bytes.data()), bytes.size()), 0);
}

INSTANTIATE_TEST_SUITE_P(Corpus, Seed, testing::ValuesIn(seeds()), name_of);
