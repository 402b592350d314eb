#include "service/digests.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <openssl/evp.h>
#include <utility>

namespace vitrine::service {
namespace {

// Blocks of one stream that may wait for its lanes: enough to ride over a pause of the lanes, of
// the client or of the disk.
constexpr std::size_t kStreamBlocksMax = 8;

} // namespace

/// One digest of one stream: hashes its blocks in order, one at a time.
struct DigestPool::Lane {
  struct Free {
    void operator()(evp_md_ctx_st* ended) const noexcept { EVP_MD_CTX_free(ended); }
  };

  Lane(Digests& owner, EVP_MD const* algorithm) : stream(owner), context(EVP_MD_CTX_new()) {
    CHECK(context && EVP_DigestInit_ex(context.get(), algorithm, nullptr) == 1);
  }

  [[nodiscard]] bool has_work() const { return done < stream.first_block_ + stream.blocks_.size(); }

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
    CHECK(EVP_DigestUpdate(lane.context.get(), bytes.data(), bytes.size()) == 1);
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
  auto sha512 = lanes_[0]->value();
  return {.md5 = lanes_[1]->value(), .sha512 = std::move(sha512)};
}

std::uint64_t Digests::blocks_hashed() const { return std::min(lanes_[0]->done, lanes_[1]->done); }

/// Gives back the blocks that both lanes have hashed.
void Digests::reclaim() {
  while (first_block_ < blocks_hashed()) {
    blocks_.pop_front();
    ++first_block_;
    --pool_.waiting_blocks_;
  }
}

} // namespace vitrine::service
