// MD5 and SHA-512 of a stream of bytes, and SHA-256 where it is asked for, computed beside each
// other and beside the storing of the bytes.
//
// Each block of a stream goes to a lane for each digest; the lanes run on the threads of a pool
// which all streams share, while the caller's own thread stores it. So a stream runs at the speed
// of its slowest part, and a thousand streams need no more threads than one.
#pragma once

#include "base/blocks.hpp"
#include "base/hash.hpp"
#include "base/result.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace vitrine::service {

class Digests;

/// The threads that all streams share. Thread-safe. Outlives its streams.
class DigestPool {
public:
  /// Each stream has one block; while `blocks_max` wait to be hashed, of all streams together, none
  /// has more.
  DigestPool(unsigned threads, std::size_t blocks_max);
  ~DigestPool();
  DigestPool(DigestPool const&) = delete;
  DigestPool& operator=(DigestPool const&) = delete;

private:
  friend class Digests;

  struct Lane;

  void run();
  void enqueue(Lane& lane);

  std::size_t const blocks_max_;
  std::mutex mutex_; ///< guards everything below, and what lanes and streams share
  std::condition_variable work_;
  std::deque<Lane*> queue_;       ///< lanes with a block to hash, in turn
  std::size_t waiting_blocks_{0}; ///< blocks that lanes have not finished
  std::size_t streams_{0};
  bool stopping_{false};
  std::vector<std::thread> threads_;
};

/// One stream. Not thread-safe. Destroyed before `finish`, it drops what was not hashed yet.
class Digests {
public:
  /// Stores a block; on the caller's thread, in order.
  using Store = std::function<Result<>(std::span<std::byte const>)>;

  struct Values {
    std::string md5;    ///< lower-case hex
    std::string sha512; ///< lower-case hex
    std::string sha256; ///< lower-case hex; empty unless it was asked for
  };

  Digests(DigestPool& pool, Store store, bool with_sha256 = false);
  ~Digests();
  Digests(Digests const&) = delete;
  Digests& operator=(Digests const&) = delete;

  /// Waits while the lanes are behind, then stores the block. Errors: those of the store, after
  /// which the stream is of no more use.
  Result<> add(Block block);
  /// Waits for the digests of all bytes. Once.
  Values finish();

private:
  friend class DigestPool;

  [[nodiscard]] std::uint64_t blocks_hashed() const;
  void reclaim();

  DigestPool& pool_;
  Store const store_;
  // Guarded by the pool's mutex.
  std::deque<Block> blocks_;      ///< not yet hashed by all lanes
  std::uint64_t first_block_{0};  ///< number of blocks_.front(), from the start of the stream
  std::condition_variable moved_; ///< a lane has finished a block
  std::vector<std::unique_ptr<DigestPool::Lane>> lanes_;
};

} // namespace vitrine::service
