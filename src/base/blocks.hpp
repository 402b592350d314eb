// Blocks of bytes that travel from a socket to a disk without being copied, and the pool that keeps
// freed ones: fresh memory costs more than what is done with it.
#pragma once

#include <cstddef>
#include <mutex>
#include <span>
#include <vector>

namespace vitrine {

class BlockPool;

/// Memory of `kBytes` at a page boundary, filled from the front. Goes back to its pool, which
/// outlives it. Not thread-safe.
class Block {
public:
  /// Large, because each hand-over between threads costs a wake-up; ten uploads still fit 80 MiB.
  static constexpr std::size_t kBytes = 1U << 20U;

  Block() = default;
  ~Block() { release(); }
  Block(Block&& other) noexcept;
  Block& operator=(Block&& other) noexcept;

  explicit operator bool() const noexcept { return memory_ != nullptr; }
  [[nodiscard]] std::span<std::byte const> bytes() const noexcept { return {memory_, used_}; }
  [[nodiscard]] std::size_t size() const noexcept { return used_; }
  /// What is still free; `extend` says how much of its front was filled.
  [[nodiscard]] std::span<std::byte> room() noexcept { return {memory_ + used_, kBytes - used_}; }
  void extend(std::size_t count) noexcept { used_ += count; }
  /// Copies as many of `bytes` as fit; their number.
  std::size_t append(std::span<std::byte const> bytes) noexcept;

private:
  friend class BlockPool;
  Block(BlockPool& pool, std::byte* memory) : pool_(&pool), memory_(memory) {}
  void release() noexcept;

  BlockPool* pool_{nullptr};
  std::byte* memory_{nullptr};
  std::size_t used_{0};
};

/// Thread-safe.
class BlockPool {
public:
  BlockPool() = default;
  ~BlockPool();
  BlockPool(BlockPool const&) = delete;
  BlockPool& operator=(BlockPool const&) = delete;

  /// An empty block. Never waits; throws std::bad_alloc.
  Block take();

private:
  friend class Block;
  void give_back(std::byte* memory) noexcept;

  std::mutex mutex_;
  std::vector<std::byte*> idle_;
  std::size_t made_{0}; ///< blocks there are, idle or not
};

} // namespace vitrine
