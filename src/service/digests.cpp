#include "service/digests.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <utility>

namespace vitrine::service {
namespace {

// Blocks of one stream that may wait for its lanes: enough to ride over a pause of the lanes, of
// the client or of the disk.
constexpr std::size_t kStreamBlocksMax = 8;
// Blocks kept for the next stream when none is under way.
constexpr std::size_t kIdleBlocksMax = 4;

} // namespace

/// One digest of one stream: hashes its blocks in order, one at a time.
struct DigestPool::Lane {
  struct Free {
    void operator()(evp_md_ctx_st* ended) const noexcept { EVP_MD_CTX_free(ended); }
  };

  Lane(Digests& owner, EVP_MD const* algorithm) : stream(owner), context(EVP_MD_CTX_new()) {
    CHECK(context && EVP_DigestInit_ex(context.get(), algorithm, nullptr) == 1);
  }

  [[nodiscard]] bool has_work() const { return done < stream.first_chunk_ + stream.chunks_.size(); }

  std::string value() {
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> bytes{};
    unsigned length = 0;
    CHECK(EVP_DigestFinal_ex(context.get(), bytes.data(), &length) == 1);
    return text::hex(std::span(bytes).first(length));
  }

  Digests& stream;
  std::unique_ptr<evp_md_ctx_st, Free> context;
  std::uint64_t done{0}; ///< blocks hashed
  bool queued{false};
  bool running{false};
  bool left{false}; ///< the stream goes away
};

void DigestPool::Unmap::operator()(std::byte* block) const noexcept {
  ::munmap(block, kBlockBytes);
}

DigestPool::DigestPool(unsigned threads, std::size_t blocks_max) : blocks_max_(blocks_max) {
  for (unsigned i = 0; i < std::max(threads, 1U); ++i)
    threads_.emplace_back([this] { run(); });
}

DigestPool::~DigestPool() {
  {
    std::lock_guard const lock(mutex_);
    CHECK(streams_ == 0);
    stopping_ = true;
  }
  work_.notify_all();
  for (auto& thread : threads_)
    thread.join();
}

void DigestPool::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Lane& lane = *queue_.front();
    queue_.pop_front();
    lane.queued = false;
    lane.running = true;
    auto const& chunk = lane.stream.chunks_[lane.done - lane.stream.first_chunk_];
    auto const* const bytes = chunk.bytes.get();
    auto const size = chunk.size;
    lock.unlock();
    CHECK(EVP_DigestUpdate(lane.context.get(), bytes, size) == 1);
    lock.lock();
    lane.running = false;
    ++lane.done;
    if (!lane.left && lane.has_work()) { // in its turn, and without a wake-up: this thread goes on
      lane.queued = true;
      queue_.push_back(&lane);
    }
    lane.stream.moved_.notify_one();
  }
}

void DigestPool::enqueue(Lane& lane) {
  if (lane.queued || lane.running) return;
  lane.queued = true;
  queue_.push_back(&lane);
  work_.notify_one();
}

DigestPool::Block DigestPool::take_block() {
  if (!idle_blocks_.empty()) {
    auto block = std::move(idle_blocks_.back());
    idle_blocks_.pop_back();
    return block;
  }
  void* const memory =
      ::mmap(nullptr, kBlockBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return Block(static_cast<std::byte*>(memory));
}

void DigestPool::return_block(Block block) {
  idle_blocks_.push_back(std::move(block));
  auto const kept_max = streams_ == 0 ? kIdleBlocksMax : blocks_max_;
  while (idle_blocks_.size() > kept_max)
    idle_blocks_.pop_back();
}

Digests::Digests(DigestPool& pool, Store store) : pool_(pool), store_(std::move(store)) {
  lanes_.push_back(std::make_unique<DigestPool::Lane>(*this, EVP_sha512()));
  lanes_.push_back(std::make_unique<DigestPool::Lane>(*this, EVP_md5()));
  std::lock_guard const lock(pool_.mutex_);
  ++pool_.streams_;
}

Digests::~Digests() {
  std::unique_lock lock(pool_.mutex_);
  for (auto& lane : lanes_) {
    lane->left = true;
    if (lane->queued) std::erase(pool_.queue_, lane.get());
  }
  moved_.wait(lock, [this] {
    return std::ranges::none_of(lanes_, [](auto const& lane) { return lane->running; });
  });
  pool_.waiting_blocks_ -= chunks_.size();
  --pool_.streams_;
  for (auto& chunk : chunks_)
    pool_.return_block(std::move(chunk.bytes));
  if (block_) pool_.return_block(std::move(block_));
}

Result<> Digests::add(std::span<std::byte const> bytes) {
  while (!bytes.empty()) {
    if (!block_) block_ = next_block();
    auto const count = std::min(bytes.size(), DigestPool::kBlockBytes - filled_);
    std::memcpy(block_.get() + filled_, bytes.data(), count);
    filled_ += count;
    bytes = bytes.subspan(count);
    if (filled_ == DigestPool::kBlockBytes) TRY(pass_on());
  }
  return {};
}

Result<Digests::Values> Digests::finish() {
  if (filled_ > 0) TRY(pass_on());
  {
    std::unique_lock lock(pool_.mutex_);
    auto const all = first_chunk_ + chunks_.size();
    moved_.wait(lock, [&] { return blocks_hashed() == all; });
  }
  auto sha512 = lanes_[0]->value();
  return Values{.md5 = lanes_[1]->value(), .sha512 = std::move(sha512)};
}

/// Hands the block to the lanes and stores it meanwhile.
Result<> Digests::pass_on() {
  std::span<std::byte const> const bytes(block_.get(), std::exchange(filled_, 0));
  {
    std::lock_guard const lock(pool_.mutex_);
    chunks_.push_back({std::move(block_), bytes.size()});
    ++pool_.waiting_blocks_;
    for (auto& lane : lanes_)
      pool_.enqueue(*lane);
  }
  return store_(bytes); // the block stays: this thread alone reclaims
}

/// A block to fill; while many wait to be hashed, not before one of this stream has been.
DigestPool::Block Digests::next_block() {
  std::unique_lock lock(pool_.mutex_);
  moved_.wait(lock, [this] {
    reclaim();
    return chunks_.empty() ||
           (chunks_.size() < kStreamBlocksMax && pool_.waiting_blocks_ < pool_.blocks_max_);
  });
  return pool_.take_block();
}

std::uint64_t Digests::blocks_hashed() const { return std::min(lanes_[0]->done, lanes_[1]->done); }

/// Gives back the blocks that both lanes have hashed.
void Digests::reclaim() {
  while (first_chunk_ < blocks_hashed()) {
    pool_.return_block(std::move(chunks_.front().bytes));
    chunks_.pop_front();
    ++first_chunk_;
    --pool_.waiting_blocks_;
  }
}

} // namespace vitrine::service
