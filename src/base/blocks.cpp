#include "base/blocks.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <sys/mman.h>
#include <utility>

namespace vitrine {
namespace {

constexpr std::size_t kIdleMax = 8;
// Blocks are made in pairs that share a huge page: the kernel pins one page of it for a direct
// write where it would pin hundreds.
constexpr std::size_t kPairBytes = 2 * Block::kBytes;

std::byte* other_of_pair(std::byte* memory) {
  bool const is_second = reinterpret_cast<std::uintptr_t>(memory) % kPairBytes != 0;
  return is_second ? memory - Block::kBytes : memory + Block::kBytes;
}

} // namespace

Block::Block(Block&& other) noexcept
    : pool_(other.pool_), memory_(std::exchange(other.memory_, nullptr)),
      used_(std::exchange(other.used_, 0)) {}

Block& Block::operator=(Block&& other) noexcept {
  std::swap(pool_, other.pool_);
  std::swap(memory_, other.memory_);
  std::swap(used_, other.used_);
  other.release();
  return *this;
}

std::size_t Block::append(std::span<std::byte const> bytes) noexcept {
  auto const count = std::min(bytes.size(), kBytes - used_);
  if (count > 0) std::memcpy(memory_ + used_, bytes.data(), count);
  used_ += count;
  return count;
}

void Block::release() noexcept {
  if (memory_ != nullptr) pool_->give_back(std::exchange(memory_, nullptr));
  used_ = 0;
}

BlockPool::~BlockPool() {
  for (auto* memory : idle_) {
    if (memory < other_of_pair(memory)) std::free(memory);
  }
}

Block BlockPool::take() {
  std::lock_guard const lock(mutex_);
  if (idle_.empty()) {
    idle_.reserve(made_ + 2); // so that give_back cannot fail
    auto* const pair = static_cast<std::byte*>(std::aligned_alloc(kPairBytes, kPairBytes));
    if (pair == nullptr) throw std::bad_alloc();
    ::madvise(pair, kPairBytes, MADV_HUGEPAGE);
    made_ += 2;
    idle_.push_back(pair + Block::kBytes);
    idle_.push_back(pair);
  }
  Block block(*this, idle_.back());
  idle_.pop_back();
  return block;
}

void BlockPool::give_back(std::byte* memory) noexcept {
  std::lock_guard const lock(mutex_);
  auto const other = std::ranges::find(idle_, other_of_pair(memory));
  if (idle_.size() < kIdleMax || other == idle_.end()) {
    idle_.push_back(memory);
    return;
  }
  std::free(std::min(memory, *other));
  idle_.erase(other);
  made_ -= 2;
}

} // namespace vitrine
