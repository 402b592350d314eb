// A store of image data that does nothing before its place is known to be the right one.
#pragma once

#include "store/blobs/blobs.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace vitrine::store {

class ProvenBlobs final : public Blobs {
public:
  /// `prove` is asked until it succeeds once, by one at a time; what it says else is the answer of
  /// every operation.
  ProvenBlobs(std::unique_ptr<Blobs> inner, std::function<Result<>()> prove)
      : inner_(std::move(inner)), prove_(std::move(prove)) {}

  Result<std::unique_ptr<BlobWriter>> create(BlobId const& id,
                                             std::optional<std::uint64_t> size_bytes) override {
    TRY(prove());
    return inner_->create(id, size_bytes);
  }
  Result<std::unique_ptr<StoredBytes>> open(BlobId const& id) override {
    TRY(prove());
    return inner_->open(id);
  }
  Result<> remove(BlobId const& id) override {
    TRY(prove());
    return inner_->remove(id);
  }
  Result<> list(std::function<void(StoredBlob const&)> const& each) override {
    TRY(prove());
    return inner_->list(each);
  }
  Result<> look() override {
    TRY(prove());
    return inner_->look();
  }

private:
  Result<> prove() {
    if (is_proven_.load(std::memory_order_acquire)) return {};
    auto const seen = attempts_.load();
    std::scoped_lock const lock(mutex_);
    // Who waited for an attempt has its outcome: a store that hangs is asked once for all of them.
    if (attempts_.load() == seen) {
      outcome_ = prove_();
      ++attempts_;
      if (outcome_) is_proven_.store(true, std::memory_order_release);
    }
    return outcome_;
  }

  std::unique_ptr<Blobs> const inner_;
  std::function<Result<>()> const prove_;
  std::mutex mutex_;
  Result<> outcome_; ///< of the last attempt
  std::atomic<std::uint64_t> attempts_{0};
  std::atomic<bool> is_proven_{false};
};

} // namespace vitrine::store
