#include "service/digests.hpp"

#include <algorithm>
#include <utility>

namespace vitrine::service {
namespace {

// Blocks of one stream that may wait for its lanes: enough to ride over a pause of the lanes, of
// the client or of the disk.
constexpr std::size_t kStreamBlocksMax = 8;

} // namespace

/// One digest of one stream: hashes its blocks in order, one at a time.
struct DigestPool::Lane {
  Lane(Digests& owner, HashAlgorithm algorithm) : stream(owner), hash(algorithm) {}

  [[nodiscard]] bool has_work() const { return done < stream.first_block_ + stream.blocks_.size(); }

  Digests& stream;
  Hash hash;
  std::uint64_t done{0}; ///< blocks hashed
  bool queued{false};
  bool running{false};
  bool left{false}; ///< the stream goes away
};

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
    auto const bytes = lane.stream.blocks_[lane.done - lane.stream.first_block_].bytes();
    lock.unlock();
    lane.hash.add(bytes);
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

Digests::Digests(DigestPool& pool, Store store, bool with_sha256)
    : pool_(pool), store_(std::move(store)) {
  using enum HashAlgorithm;
  for (auto const algorithm : {sha512, md5})
    lanes_.push_back(std::make_unique<DigestPool::Lane>(*this, algorithm));
  if (with_sha256) lanes_.push_back(std::make_unique<DigestPool::Lane>(*this, sha256));
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
  pool_.waiting_blocks_ -= blocks_.size();
  --pool_.streams_;
}

Result<> Digests::add(Block block) {
  auto const bytes = block.bytes();
  if (bytes.empty()) return {};
  {
    std::unique_lock lock(pool_.mutex_);
    moved_.wait(lock, [this] {
      reclaim();
      return blocks_.empty() ||
             (blocks_.size() < kStreamBlocksMax && pool_.waiting_blocks_ < pool_.blocks_max_);
    });
    blocks_.push_back(std::move(block));
    ++pool_.waiting_blocks_;
    for (auto& lane : lanes_)
      pool_.enqueue(*lane);
  }
  return store_(bytes); // the block stays: this thread alone reclaims
}

Digests::Values Digests::finish() {
  {
    std::unique_lock lock(pool_.mutex_);
    auto const all = first_block_ + blocks_.size();
    moved_.wait(lock, [&] { return blocks_hashed() == all; });
  }
  Values values;
  values.sha512 = lanes_[0]->hash.take_hex();
  values.md5 = lanes_[1]->hash.take_hex();
  if (lanes_.size() > 2) values.sha256 = lanes_[2]->hash.take_hex();
  return values;
}

std::uint64_t Digests::blocks_hashed() const {
  auto const done = [](auto const& lane) { return lane->done; };
  return done(*std::ranges::min_element(lanes_, {}, done));
}

/// Gives back the blocks that all lanes have hashed.
void Digests::reclaim() {
  while (first_block_ < blocks_hashed()) {
    blocks_.pop_front();
    ++first_block_;
    --pool_.waiting_blocks_;
  }
}

} // namespace vitrine::service
