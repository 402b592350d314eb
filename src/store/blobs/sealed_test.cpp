#include "store/blobs/sealed.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

namespace vitrine::store {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::size_t kSegment = kSegmentBytes;
constexpr std::size_t kSealed = kSegmentBytes + 16;
constexpr std::size_t kOut = 1U << 20U;

struct Store {
  Bytes bytes;
  bool committed{false};
  std::size_t writes{0};
  std::size_t whole_writes{0}; ///< of 1 MiB, from the start of a page
};

class MemoryWriter final : public BlobWriter {
public:
  explicit MemoryWriter(Store& store) : store_(store) {}
  Result<> write(std::span<std::byte const> bytes) override {
    store_.bytes.insert(store_.bytes.end(), bytes.begin(), bytes.end());
    ++store_.writes;
    bool const at_page = reinterpret_cast<std::uintptr_t>(bytes.data()) % 4096 == 0;
    if (bytes.size() == kOut && at_page) ++store_.whole_writes;
    return {};
  }
  Result<> commit() override {
    store_.committed = true;
    return {};
  }

private:
  Store& store_;
};

class MemoryBytes final : public StoredBytes {
public:
  MemoryBytes(Bytes bytes, std::size_t best) : bytes_(std::move(bytes)), best_(best) {}
  [[nodiscard]] std::uint64_t size_bytes() const noexcept override { return bytes_.size(); }
  [[nodiscard]] std::size_t read_bytes_best() const noexcept override { return best_; }
  Result<> read(std::uint64_t offset, std::span<std::byte> into) override {
    if (offset + into.size() > bytes_.size()) return error(Fault::unavailable);
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), into.size(), into.begin());
    return {};
  }

private:
  Bytes const bytes_;
  std::size_t const best_;
};

class SealedTest : public testing::Test {
protected:
  Bytes random_bytes(std::size_t size) {
    Bytes out(size);
    for (std::size_t i = 0; i < size; i += 8) {
      auto const word = random_();
      for (std::size_t j = 0; j < 8 && i + j < size; ++j)
        out[i + j] = static_cast<std::byte>(word >> (8 * j));
    }
    return out;
  }

  std::size_t below(std::size_t end) {
    return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_);
  }

  /// Written in pieces of at most `piece_max`.
  Store sealed(Bytes const& plain, std::size_t piece_max) {
    Store store;
    auto const writer = seal(std::make_unique<MemoryWriter>(store), key_, blob_);
    for (std::size_t at = 0; at < plain.size();) {
      auto const count = std::min(plain.size() - at, 1 + below(piece_max));
      EXPECT_TRUE(writer->write(std::span(plain).subspan(at, count)));
      at += count;
    }
    EXPECT_FALSE(store.committed);
    EXPECT_TRUE(writer->commit());
    EXPECT_TRUE(store.committed);
    return store;
  }

  Result<std::unique_ptr<StoredBytes>> opened(Bytes bytes, std::size_t best = 1) {
    return unseal(std::make_unique<MemoryBytes>(std::move(bytes), best), key_, blob_);
  }

  /// All bytes, in one read.
  Result<Bytes> read_all(Bytes bytes) {
    auto const data = TRY(opened(std::move(bytes)));
    Bytes plain(data->size_bytes());
    TRY(data->read(0, plain));
    return plain;
  }

  std::uint64_t const seed_{std::random_device{}()};
  std::mt19937_64 random_{seed_};
  Secret const key_{Secret::random()};
  BlobId const blob_{"0123456789abcdef0123456789abcdef"};
  testing::ScopedTrace const trace_{__FILE__, __LINE__, "seed " + std::to_string(seed_)};
};

TEST_F(SealedTest, AnyLengthInAnyPiecesComesBack) {
  std::vector<std::size_t> sizes{
      0,        1,    kSegment - 1, kSegment,     kSegment + 1, 2 * kSegment,
      kOut - 1, kOut, kOut + 1,     3 * kOut + 17};
  for (int i = 0; i < 20; ++i)
    sizes.push_back(below(20 * kSegment));
  for (auto const size : sizes) {
    auto const plain = random_bytes(size);
    auto const store = sealed(plain, 1 + below(2 * kOut));
    EXPECT_EQ(store.bytes.size(), sealed_size_bytes(size));
    EXPECT_EQ(plain_size_bytes(store.bytes.size()), size);
    EXPECT_EQ(store.whole_writes, store.bytes.size() / kOut) << "direct writes need whole pages";
    EXPECT_EQ(read_all(store.bytes).value(), plain) << size;
  }
}

TEST_F(SealedTest, AnyRangeCanBeReadAlone) {
  auto const plain = random_bytes(9 * kSegment + 1234);
  auto const store = sealed(plain, kOut);
  for (auto const best : {std::size_t{1}, 3 * kSegment, 5 * kSegment + 1}) {
    auto const data = opened(store.bytes, best).value();
    EXPECT_EQ(data->read_bytes_best() % kSegment, 0U);
    for (int i = 0; i < 200; ++i) {
      auto const offset = below(plain.size());
      auto const count = below(plain.size() - offset + 1);
      Bytes part(count);
      ASSERT_TRUE(data->read(offset, part));
      EXPECT_TRUE(
          std::equal(part.begin(), part.end(), plain.begin() + static_cast<std::ptrdiff_t>(offset)))
          << offset << " " << count;
    }
  }
}

TEST_F(SealedTest, NoPlainBytesAreStoredAndNothingTellsOfEquality) {
  Bytes const plain(3 * kSegment, std::byte{0});
  auto const first = sealed(plain, kOut).bytes;
  auto const zeros = std::string(16, '\0');
  std::string_view const text(reinterpret_cast<char const*>(first.data()), first.size());
  EXPECT_EQ(text.find(zeros), std::string_view::npos);
  EXPECT_NE(text.substr(0, kSegment), text.substr(kSealed, kSegment)) << "equal segments";
}

TEST_F(SealedTest, AnyChangedByteIsDetected) {
  auto const plain = random_bytes(kSegment + 100);
  auto const good = sealed(plain, kOut).bytes;
  std::vector<std::size_t> places{0, kSegment - 1, kSegment, kSealed - 1, kSealed, good.size() - 1};
  for (std::size_t at = kSealed - 16; at < good.size(); ++at)
    places.push_back(at);
  for (int i = 0; i < 100; ++i)
    places.push_back(below(good.size()));
  for (auto const at : places) {
    auto changed = good;
    changed[at] ^= static_cast<std::byte>(1U << below(8));
    auto const read = read_all(changed);
    ASSERT_FALSE(read) << at;
    EXPECT_EQ(read.error().fault, Fault::internal) << "nobody waits for it";
    // The other segment is as good as ever.
    auto const data = opened(changed).value();
    Bytes part(10);
    EXPECT_TRUE(data->read(at < kSealed ? kSegment : 0, part)) << at;
  }
}

TEST_F(SealedTest, AReadThatFailsGivesNoPlainBytes) {
  auto changed = sealed(random_bytes(100), kOut).bytes;
  changed.back() ^= std::byte{1};
  Bytes part(100, std::byte{7});
  EXPECT_FALSE(opened(changed).value()->read(0, part));
  EXPECT_EQ(part, Bytes(100));
}

TEST_F(SealedTest, SegmentsCannotBeMovedRepeatedLeftOutOrCutOff) {
  auto const good = sealed(random_bytes(4 * kSegment), kOut).bytes;
  auto const segment = [&](std::size_t index) {
    auto const at = good.begin() + static_cast<std::ptrdiff_t>(index * kSealed);
    return Bytes(at, at + kSealed);
  };
  auto const of = [&](std::vector<std::size_t> const& order) {
    Bytes out;
    for (auto const index : order) {
      auto const piece = segment(index);
      out.insert(out.end(), piece.begin(), piece.end());
    }
    return out;
  };
  EXPECT_TRUE(read_all(of({0, 1, 2, 3})));
  for (auto const& order : std::vector<std::vector<std::size_t>>{{1, 0, 2, 3},
                                                                 {0, 2, 1, 3},
                                                                 {0, 1, 1, 3},
                                                                 {0, 1, 3},
                                                                 {1, 2, 3},
                                                                 {0, 1, 2},
                                                                 {0},
                                                                 {0, 1, 2, 3, 3},
                                                                 {0, 1, 2, 3, 0},
                                                                 {3, 2, 1, 0}}) {
    EXPECT_FALSE(read_all(of(order))) << testing::PrintToString(order);
  }
  for (int i = 0; i < 50; ++i) {
    auto const cut = below(good.size());
    EXPECT_FALSE(read_all(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(cut))))
        << cut;
  }
}

TEST_F(SealedTest, ANotherBlobOrKeyOpensNothing) {
  auto const good = sealed(random_bytes(1000), kOut).bytes;
  Bytes part(1000);
  auto const memory = [&] { return std::make_unique<MemoryBytes>(good, 1); };
  EXPECT_TRUE(unseal(memory(), key_, blob_).value()->read(0, part));
  EXPECT_FALSE(unseal(memory(), key_, BlobId{std::string(32, 'f')}).value()->read(0, part));
  EXPECT_FALSE(unseal(memory(), Secret::random(), blob_).value()->read(0, part));
}

TEST_F(SealedTest, LengthsThatNoBytesHaveAreRefused) {
  for (std::uint64_t const size : {0ULL, 1ULL, 15ULL, kSealed + 0ULL + 1, kSealed + 16ULL}) {
    EXPECT_EQ(plain_size_bytes(size), std::nullopt) << size;
    EXPECT_EQ(opened(Bytes(size)).error().fault, Fault::not_found);
  }
  EXPECT_EQ(plain_size_bytes(16), 0U);
  EXPECT_EQ(plain_size_bytes(kSealed), kSegment);
  EXPECT_EQ(plain_size_bytes(kSealed + 17), kSegment + 1);
  EXPECT_EQ(sealed_size_bytes(1ULL << 40U), (1ULL << 40U) + (1ULL << 24U) * 16);
}

} // namespace
} // namespace vitrine::store
