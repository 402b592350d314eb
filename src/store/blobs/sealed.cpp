#include "store/blobs/sealed.hpp"

#include "store/keys/gcm.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <utility>

namespace vitrine::store {
namespace {

constexpr std::size_t kSealedSegmentBytes = kSegmentBytes + Gcm::kTagBytes;
// Handed on at once: a multiple of the page, as writers like it.
constexpr std::size_t kOutBytes = 1U << 20U;
constexpr std::size_t kPageBytes = 4096;
// Fetched at once where the store below has no wish: what was read is still in the cache when it is
// opened.
constexpr std::size_t kFetchBytes = 256U << 10U;
// Given at once: threads that hand parts to each other should not do so too often.
constexpr std::size_t kReadBytes = 1U << 20U;

std::string associated(BlobId const& blob) { return "vitrine segment 1\n" + blob.text; }

Gcm::Nonce nonce_of(std::uint64_t segment, bool is_last) {
  Gcm::Nonce nonce{};
  for (std::size_t i = 0; i < sizeof segment; ++i) {
    nonce[nonce.size() - 2 - i] = static_cast<std::uint8_t>(segment >> (8 * i));
  }
  nonce.back() = is_last ? 1 : 0;
  return nonce;
}

struct Free {
  void operator()(std::byte* memory) const noexcept { std::free(memory); }
};
using Memory = std::unique_ptr<std::byte, Free>;

Memory page_aligned(std::size_t bytes) {
  auto const whole = (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
  Memory memory(static_cast<std::byte*>(std::aligned_alloc(kPageBytes, whole)));
  if (!memory) throw std::bad_alloc();
  return memory;
}

class SealingWriter final : public BlobWriter {
public:
  SealingWriter(std::unique_ptr<BlobWriter> into, Secret const& key, BlobId const& blob)
      : into_(std::move(into)), gcm_(key, Gcm::Direction::seal), associated_(associated(blob)),
        held_(page_aligned(kSegmentBytes)), out_(page_aligned(kOutBytes + kSealedSegmentBytes)) {}

  ~SealingWriter() override { ::explicit_bzero(held_.get(), kSegmentBytes); }

  // The last segment is sealed otherwise, so a whole one is held back until more follows.
  Result<> write(std::span<std::byte const> bytes) override {
    while (!bytes.empty()) {
      if (held_bytes_ == kSegmentBytes) TRY(seal_held(false));
      if (held_bytes_ == 0 && bytes.size() > kSegmentBytes) {
        TRY(seal(bytes.first(kSegmentBytes), false));
        bytes = bytes.subspan(kSegmentBytes);
        continue;
      }
      auto const count = std::min(bytes.size(), kSegmentBytes - held_bytes_);
      std::memcpy(held_.get() + held_bytes_, bytes.data(), count);
      held_bytes_ += count;
      bytes = bytes.subspan(count);
    }
    return {};
  }

  Result<> commit() override {
    TRY(seal_held(true));
    TRY(into_->write(std::span(out_.get(), out_bytes_)));
    return into_->commit();
  }

private:
  Result<> seal_held(bool is_last) {
    auto const count = std::exchange(held_bytes_, 0);
    return seal(std::span(held_.get(), count), is_last);
  }

  Result<> seal(std::span<std::byte const> plain, bool is_last) {
    gcm_.seal(nonce_of(segment_++, is_last), associated_, plain, out_.get() + out_bytes_);
    out_bytes_ += plain.size() + Gcm::kTagBytes;
    if (out_bytes_ < kOutBytes) return {};
    TRY(into_->write(std::span(out_.get(), kOutBytes)));
    out_bytes_ -= kOutBytes;
    std::memmove(out_.get(), out_.get() + kOutBytes, out_bytes_);
    return {};
  }

  std::unique_ptr<BlobWriter> const into_;
  Gcm gcm_;
  std::string const associated_;
  std::uint64_t segment_{0};
  Memory const held_; ///< plain bytes that are not sealed yet, a segment at most
  std::size_t held_bytes_{0};
  Memory const out_; ///< sealed bytes that are not handed on yet
  std::size_t out_bytes_{0};
};

class UnsealedBytes final : public StoredBytes {
public:
  UnsealedBytes(std::unique_ptr<StoredBytes> sealed, std::uint64_t size_bytes, Secret const& key,
                BlobId const& blob)
      : sealed_(std::move(sealed)), size_bytes_(size_bytes), associated_(associated(blob)),
        gcm_(key, Gcm::Direction::open) {}

  ~UnsealedBytes() override {
    if (buffer_) ::explicit_bzero(buffer_.get(), segments_at_once() * kSealedSegmentBytes);
  }

  [[nodiscard]] std::uint64_t size_bytes() const noexcept override { return size_bytes_; }
  [[nodiscard]] std::size_t read_bytes_best() const noexcept override {
    return std::max(kReadBytes, segments_at_once() * kSegmentBytes);
  }

  Result<> read(std::uint64_t offset, std::span<std::byte> into) override {
    while (!into.empty()) {
      auto const first = offset / kSegmentBytes;
      auto const last =
          std::min((offset + into.size() - 1) / kSegmentBytes, first + segments_at_once() - 1);
      TRY(fetch(first, last));
      for (auto segment = first; segment <= last; ++segment) {
        auto const begin = segment * kSegmentBytes;
        auto const skipped = offset - begin;
        auto const count = std::min<std::uint64_t>(into.size(), plain_bytes(segment) - skipped);
        TRY(open(segment, first, skipped, into.first(count)));
        offset += count;
        into = into.subspan(count);
      }
    }
    return {};
  }

private:
  [[nodiscard]] std::size_t segments_at_once() const noexcept {
    return std::max(kFetchBytes, sealed_->read_bytes_best()) / kSegmentBytes;
  }
  [[nodiscard]] std::uint64_t last_segment() const noexcept {
    return size_bytes_ == 0 ? 0 : (size_bytes_ - 1) / kSegmentBytes;
  }
  [[nodiscard]] std::uint64_t plain_bytes(std::uint64_t segment) const noexcept {
    return std::min<std::uint64_t>(size_bytes_ - segment * kSegmentBytes, kSegmentBytes);
  }

  Result<> fetch(std::uint64_t first, std::uint64_t last) {
    if (!buffer_) buffer_ = page_aligned(segments_at_once() * kSealedSegmentBytes);
    auto const count = (last - first) * kSealedSegmentBytes + plain_bytes(last) + Gcm::kTagBytes;
    return sealed_->read(first * kSealedSegmentBytes, std::span(buffer_.get(), count));
  }

  /// A part of a segment of those in the buffer. All of it is opened before a byte is believed.
  Result<> open(std::uint64_t segment, std::uint64_t first, std::uint64_t skipped,
                std::span<std::byte> into) {
    auto* const at = buffer_.get() + (segment - first) * kSealedSegmentBytes;
    auto const size = plain_bytes(segment);
    bool const is_whole = into.size() == size;
    auto const nonce = nonce_of(segment, segment == last_segment());
    if (!gcm_.open(nonce, associated_, std::span(at, size + Gcm::kTagBytes),
                   is_whole ? into.data() : at)) {
      ::explicit_bzero(into.data(), into.size());
      return error(Fault::internal, "The data of the image is damaged in the image store.");
    }
    if (!is_whole) std::memcpy(into.data(), at + skipped, into.size());
    return {};
  }

  std::unique_ptr<StoredBytes> const sealed_;
  std::uint64_t const size_bytes_;
  std::string const associated_;
  Gcm gcm_;
  Memory buffer_; ///< sealed segments, and plain ones of which a part is wanted
};

} // namespace

std::uint64_t sealed_size_bytes(std::uint64_t plain_bytes) noexcept {
  auto const segments = plain_bytes == 0 ? 1 : (plain_bytes - 1) / kSegmentBytes + 1;
  return plain_bytes + segments * Gcm::kTagBytes;
}

std::optional<std::uint64_t> plain_size_bytes(std::uint64_t sealed_bytes) noexcept {
  auto const segments = (sealed_bytes + kSealedSegmentBytes - 1) / kSealedSegmentBytes;
  if (sealed_bytes < segments * Gcm::kTagBytes) return std::nullopt;
  auto const plain = sealed_bytes - segments * Gcm::kTagBytes;
  if (sealed_size_bytes(plain) != sealed_bytes) return std::nullopt;
  return plain;
}

std::unique_ptr<BlobWriter> seal(std::unique_ptr<BlobWriter> into, Secret const& key,
                                 BlobId const& blob) {
  return std::make_unique<SealingWriter>(std::move(into), key, blob);
}

Result<std::unique_ptr<StoredBytes>> unseal(std::unique_ptr<StoredBytes> sealed, Secret const& key,
                                            BlobId const& blob) {
  auto const size_bytes = plain_size_bytes(sealed->size_bytes());
  if (!size_bytes) {
    return error(Fault::not_found, "the data is not whole in the image store");
  }
  return std::make_unique<UnsealedBytes>(std::move(sealed), *size_bytes, key, blob);
}

} // namespace vitrine::store
