// Any store of image data, with its operations measured.
#pragma once

#include "ops/metrics.hpp"
#include "ops/timer.hpp"
#include "store/blobs/blobs.hpp"

#include <memory>
#include <string_view>
#include <utility>

namespace vitrine::store {

class TimedBlobs final : public Blobs {
public:
  /// `store` is the name of the store, empty when it is the only one. `metrics` must outlive it and
  /// what it opens.
  TimedBlobs(std::unique_ptr<Blobs> inner, ops::Metrics& metrics, std::string_view store)
      : inner_(std::move(inner)), create_(of(metrics, "create", store)),
        write_(of(metrics, "write", store)), commit_(of(metrics, "commit", store)),
        open_(of(metrics, "open", store)), read_(of(metrics, "read", store)),
        remove_(of(metrics, "remove", store)), list_(of(metrics, "list", store)),
        look_(of(metrics, "look", store)) {}

  Result<std::unique_ptr<BlobWriter>> create(BlobId const& id,
                                             std::optional<std::uint64_t> size_bytes) override {
    ops::Timer const timer(create_);
    auto writer = TRY(inner_->create(id, size_bytes));
    return std::make_unique<Writer>(*this, std::move(writer));
  }
  Result<std::unique_ptr<StoredBytes>> open(BlobId const& id) override {
    ops::Timer const timer(open_);
    auto bytes = TRY(inner_->open(id));
    return std::make_unique<Bytes>(*this, std::move(bytes));
  }
  Result<> remove(BlobId const& id) override {
    ops::Timer const timer(remove_);
    return inner_->remove(id);
  }
  Result<> list(std::function<void(StoredBlob const&)> const& each) override {
    ops::Timer const timer(list_);
    return inner_->list(each);
  }
  Result<> look() override {
    ops::Timer const timer(look_);
    return inner_->look();
  }

private:
  class Writer final : public BlobWriter {
  public:
    Writer(TimedBlobs& blobs, std::unique_ptr<BlobWriter> inner)
        : blobs_(blobs), inner_(std::move(inner)) {}
    Result<> write(std::span<std::byte const> bytes) override {
      ops::Timer const timer(blobs_.write_);
      return inner_->write(bytes);
    }
    Result<> commit() override {
      ops::Timer const timer(blobs_.commit_);
      return inner_->commit();
    }

  private:
    TimedBlobs& blobs_;
    std::unique_ptr<BlobWriter> const inner_;
  };

  class Bytes final : public StoredBytes {
  public:
    Bytes(TimedBlobs& blobs, std::unique_ptr<StoredBytes> inner)
        : read_(blobs.read_), inner_(std::move(inner)) {}
    [[nodiscard]] std::uint64_t size_bytes() const noexcept override {
      return inner_->size_bytes();
    }
    [[nodiscard]] int descriptor() const noexcept override { return inner_->descriptor(); }
    [[nodiscard]] std::size_t read_bytes_best() const noexcept override {
      return inner_->read_bytes_best();
    }
    Result<> read(std::uint64_t offset, std::span<std::byte> into) override {
      ops::Timer const timer(read_);
      return inner_->read(offset, into);
    }

  private:
    ops::Histogram& read_;
    std::unique_ptr<StoredBytes> const inner_;
  };

  static ops::Histogram& of(ops::Metrics& metrics, std::string_view operation,
                            std::string_view store) {
    return metrics.histogram(ops::Metric::store_seconds, {operation, store});
  }

  std::unique_ptr<Blobs> const inner_;
  ops::Histogram& create_;
  ops::Histogram& write_;
  ops::Histogram& commit_;
  ops::Histogram& open_;
  ops::Histogram& read_;
  ops::Histogram& remove_;
  ops::Histogram& list_;
  ops::Histogram& look_;
};

} // namespace vitrine::store
