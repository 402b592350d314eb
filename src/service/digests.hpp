// MD5 and SHA-512 of a stream of bytes, computed beside each other and beside the storing of the
// bytes.
//
// A stream is gathered into blocks. A full block goes to two lanes, one for each digest, that run
// on the threads of a pool which all streams share, while the caller's own thread stores it. So a
// stream runs at the speed of its slowest part, and a thousand streams need no more threads than
// one.
#pragma once

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

struct evp_md_ctx_st; // EVP_MD_CTX of OpenSSL

namespace vitrine::service {

class Digests;

/// The threads and the memory that all streams share. Thread-safe. Outlives its streams.
class DigestPool {
public:
  /// Bytes hashed and stored at once; blocks lie at page boundaries, so that a store may write them
  /// past the page cache.
  static constexpr std::size_t kBlockBytes = 512U << 10U;

  /// Each stream has one block; at most `blocks_max` more wait to be hashed, of all streams
  /// together.
  DigestPool(unsigned threads, std::size_t blocks_max);
  ~DigestPool();
  DigestPool(DigestPool const&) = delete;
  DigestPool& operator=(DigestPool const&) = delete;

private:
  friend class Digests;

  struct Unmap {
    void operator()(std::byte* block) const noexcept;
  };
  using Block = std::unique_ptr<std::byte, Unmap>;
  struct Lane;

  void run();
  void enqueue(Lane& lane);
  Block take_block();
  void return_block(Block block);

  std::size_t const blocks_max_;
  std::mutex mutex_; ///< guards everything below, and what lanes and streams share
  std::condition_variable work_;
  std::deque<Lane*> queue_; ///< lanes with a block to hash, in turn
  std::vector<Block> idle_blocks_;
  std::size_t waiting_blocks_{0}; ///< blocks that lanes have not finished
  std::size_t streams_{0};
  bool stopping_{false};
  std::vector<std::thread> threads_;
};

/// One stream. Not thread-safe. Destroyed before `finish`, it drops what was not hashed yet.
class Digests {
public:
  /// Stores a block; on the caller's thread. Blocks come in order and all but the last are
  /// kBlockBytes long.
  using Store = std::function<Result<>(std::span<std::byte const>)>;

  struct Values {
    std::string md5;    ///< lower-case hex
    std::string sha512; ///< lower-case hex
  };

  Digests(DigestPool& pool, Store store);
  ~Digests();
  Digests(Digests const&) = delete;
  Digests& operator=(Digests const&) = delete;

  /// Appends; the bytes are copied. Waits while the lanes are behind. Errors: those of the store,
  /// after which the stream is of no more use.
  Result<> add(std::span<std::byte const> bytes);
  /// Stores the rest and waits for the digests of all bytes. Once.
  Result<Values> finish();

private:
  friend class DigestPool;
  struct Chunk {
    DigestPool::Block bytes;
    std::size_t size;
  };

  Result<> pass_on();
  DigestPool::Block next_block();
  [[nodiscard]] std::uint64_t blocks_hashed() const;
  void reclaim();

  DigestPool& pool_;
  Store const store_;
  DigestPool::Block block_; ///< being filled; none before the first byte
  std::size_t filled_{0};
  // Guarded by the pool's mutex.
  std::deque<Chunk> chunks_; ///< passed on and not yet hashed by both lanes
  std::uint64_t first_chunk_{
      0}; ///< number of chunks_.front(), counted from the start of the stream
  std::condition_variable moved_; ///< a lane has finished a block
  std::vector<std::unique_ptr<DigestPool::Lane>> lanes_;
};

} // namespace vitrine::service
