#include "base/blocks.hpp"

#include <cstdint>
#include <gtest/gtest.h>
#include <utility>
#include <vector>

namespace vitrine {
namespace {

std::byte const* address(Block const& block) { return block.bytes().data(); }

} // namespace

TEST(Blocks, fill_from_the_front) {
  BlockPool pool;
  auto block = pool.take();
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(address(block)) % 4096, 0U);
  EXPECT_EQ(block.size(), 0U);
  EXPECT_EQ(block.room().size(), Block::kBytes);
  std::vector<std::byte> const bytes(Block::kBytes - 1, std::byte{7});
  EXPECT_EQ(block.append(bytes), bytes.size());
  block.room()[0] = std::byte{8};
  block.extend(1);
  EXPECT_TRUE(block.room().empty());
  EXPECT_EQ(block.append(bytes), 0U);
  EXPECT_EQ(block.bytes().front(), std::byte{7});
  EXPECT_EQ(block.bytes().back(), std::byte{8});
}

TEST(Blocks, move_and_come_back_empty) {
  BlockPool pool;
  auto first = pool.take();
  auto const* const memory = address(first);
  first.extend(10);
  auto second = std::move(first);
  EXPECT_FALSE(first); // NOLINT(bugprone-use-after-move): an empty block is what is promised
  EXPECT_EQ(second.size(), 10U);
  second = pool.take();
  EXPECT_NE(address(second), memory);
  auto third = pool.take();
  EXPECT_EQ(address(third), memory) << "the pool kept what the assignment freed";
  EXPECT_EQ(third.size(), 0U);
}

TEST(Blocks, beyond_what_the_pool_keeps) {
  BlockPool pool;
  for (int round = 0; round < 2; ++round) {
    std::vector<Block> blocks;
    for (int i = 0; i < 20; ++i)
      blocks.push_back(pool.take());
    for (auto& block : blocks)
      block.room().back() = std::byte{1};
  }
}

} // namespace vitrine
