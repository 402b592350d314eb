#include "base/text.hpp"
#include "service/digests.hpp"

#include <array>
#include <gtest/gtest.h>
#include <numeric>
#include <openssl/evp.h>
#include <vector>

namespace vitrine::service {
namespace {

constexpr std::size_t kBlock = Block::kBytes;

std::vector<std::byte> pattern(std::size_t size) {
  std::vector<std::byte> bytes(size);
  std::uint32_t state = 1;
  for (auto& byte : bytes) {
    state = state * 1'664'525U + 1'013'904'223U;
    byte = static_cast<std::byte>(state >> 24U);
  }
  return bytes;
}

std::string digest_of(EVP_MD const* algorithm, std::span<std::byte const> bytes) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> out{};
  unsigned length = 0;
  EVP_Digest(bytes.data(), bytes.size(), out.data(), &length, algorithm, nullptr);
  return text::hex(std::span(out).first(length));
}

// Adds `bytes` in blocks of `piece` bytes.
Result<> add(Digests& digests, BlockPool& blocks, std::span<std::byte const> bytes,
             std::size_t piece = kBlock) {
  for (auto left = bytes; !left.empty();) {
    auto block = blocks.take();
    left = left.subspan(block.append(left.first(std::min(piece, left.size()))));
    TRY(digests.add(std::move(block)));
  }
  return {};
}

// Feeds `bytes` in pieces of `piece` and checks digests and stored bytes.
void expect_right(DigestPool& pool, std::span<std::byte const> bytes, std::size_t piece,
                  bool with_sha256 = false) {
  BlockPool blocks;
  std::vector<std::byte> stored;
  auto const store = [&](std::span<std::byte const> block) -> Result<> {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block.data()) % 4096, 0U);
    stored.insert(stored.end(), block.begin(), block.end());
    return {};
  };
  Digests digests(pool, store, with_sha256);
  ASSERT_TRUE(add(digests, blocks, bytes, piece));
  auto const values = digests.finish();
  EXPECT_EQ(values.md5, digest_of(EVP_md5(), bytes));
  EXPECT_EQ(values.sha512, digest_of(EVP_sha512(), bytes));
  EXPECT_EQ(values.sha256, with_sha256 ? digest_of(EVP_sha256(), bytes) : "");
  EXPECT_TRUE(std::ranges::equal(stored, bytes));
}

} // namespace

TEST(Digests, of_nothing) {
  DigestPool pool(2, 4);
  Digests digests(pool, [](auto) -> Result<> { return error(Fault::internal); });
  auto const values = digests.finish();
  EXPECT_EQ(values.md5, "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(values.sha512.substr(0, 16), "cf83e1357eefb8bd");
}

TEST(Digests, do_not_depend_on_how_bytes_arrive) {
  DigestPool pool(2, 4);
  auto const bytes = pattern(3 * kBlock + 1000);
  for (std::size_t const piece : {kBlock / 7, kBlock - 1, kBlock}) {
    expect_right(pool, bytes, piece);
    expect_right(pool, bytes, piece, true);
  }
  expect_right(pool, std::span(bytes).first(100), 1);
}

TEST(Digests, many_streams_share_one_thread_and_little_memory) {
  DigestPool pool(1, 1);
  auto const bytes = pattern(20 * kBlock);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 8; ++i) {
    threads.emplace_back(
        [&, i] { expect_right(pool, std::span(bytes).subspan(i), 100'000, i % 2 == 1); });
  }
  for (auto& thread : threads)
    thread.join();
}

TEST(Digests, a_failing_store_ends_the_stream) {
  BlockPool blocks;
  DigestPool pool(2, 4);
  int calls = 0;
  Digests digests(
      pool, [&](auto) -> Result<> { return ++calls == 2 ? error(Fault::store_full) : Result<>(); });
  auto const bytes = pattern(3 * kBlock);
  auto const added = add(digests, blocks, bytes);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().fault, Fault::store_full);
  EXPECT_EQ(calls, 2) << "nothing is stored after a failure";
}

TEST(Digests, may_be_dropped_at_any_point) {
  BlockPool blocks;
  DigestPool pool(2, 2);
  auto const bytes = pattern(6 * kBlock);
  for (std::size_t size = 0; size <= bytes.size(); size += kBlock / 2) {
    Digests digests(pool, [](auto) -> Result<> { return {}; });
    ASSERT_TRUE(add(digests, blocks, std::span(bytes).first(size)));
  }
  expect_right(pool, bytes, kBlock);
}

} // namespace vitrine::service
