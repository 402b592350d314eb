#include "formats/zvhd_packing.hpp"

#include "formats/source.hpp"

#include <new>
#include <vector>
#include <zlib.h>
#include <zstd.h>

namespace vitrine::formats::zvhd {
namespace {

// Fast ones: an export waits for them.
constexpr int kZlibLevel = Z_BEST_SPEED;
constexpr int kZstdLevel = 1;

Error damaged() { return unsafe("is damaged: a block cannot be unpacked"); }
Error too_long() { return unsafe("has a block that unpacks to more than its size"); }

// zlib never writes through it.
Bytef* input_of(Bytes bytes) {
  return reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
}

class ZlibPacker final : public Packer {
public:
  explicit ZlibPacker(bool goes_on) : goes_on_(goes_on) {
    if (deflateInit(&stream_, kZlibLevel) != Z_OK) throw std::bad_alloc();
  }
  ~ZlibPacker() override { deflateEnd(&stream_); }
  ZlibPacker(ZlibPacker const&) = delete;
  ZlibPacker& operator=(ZlibPacker const&) = delete;

  Bytes pack(Bytes block) override {
    if (!goes_on_) CHECK(deflateReset(&stream_) == Z_OK);
    packed_.resize(2 * block.size() + 64);
    stream_.next_in = input_of(block);
    stream_.avail_in = static_cast<uInt>(block.size());
    stream_.next_out = reinterpret_cast<Bytef*>(packed_.data());
    stream_.avail_out = static_cast<uInt>(packed_.size());
    CHECK(deflate(&stream_, Z_SYNC_FLUSH) == Z_OK && stream_.avail_in == 0);
    return Bytes(packed_).first(packed_.size() - stream_.avail_out);
  }

private:
  bool const goes_on_;
  z_stream stream_{};
  std::vector<std::byte> packed_;
};

class ZstdPacker final : public Packer {
public:
  Bytes pack(Bytes block) override {
    packed_.resize(ZSTD_compressBound(block.size()));
    auto const count = ZSTD_compressCCtx(context_.get(), packed_.data(), packed_.size(),
                                         block.data(), block.size(), kZstdLevel);
    if (ZSTD_isError(count)) throw std::bad_alloc(); // there is room for it: nothing else can fail
    return Bytes(packed_).first(count);
  }

private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> const context_{ZSTD_createCCtx()};
  std::vector<std::byte> packed_;
};

class ZlibUnpacker final : public Unpacker {
public:
  // One byte more than a block, to see when there is more.
  ZlibUnpacker(bool goes_on, std::size_t block_bytes) : goes_on_(goes_on), plain_(block_bytes + 1) {
    if (inflateInit(&stream_) != Z_OK) throw std::bad_alloc();
  }
  ~ZlibUnpacker() override { inflateEnd(&stream_); }
  ZlibUnpacker(ZlibUnpacker const&) = delete;
  ZlibUnpacker& operator=(ZlibUnpacker const&) = delete;

  Result<Bytes> unpack(Bytes stored) override {
    // A writer that ends its stream with a record begins the next record with a new one.
    if (!goes_on_ || ended_) CHECK(inflateReset(&stream_) == Z_OK);
    stream_.next_in = input_of(stored);
    stream_.avail_in = static_cast<uInt>(stored.size());
    stream_.next_out = reinterpret_cast<Bytef*>(plain_.data());
    stream_.avail_out = static_cast<uInt>(plain_.size());
    auto const done = inflate(&stream_, Z_SYNC_FLUSH);
    if (done == Z_MEM_ERROR) throw std::bad_alloc();
    ended_ = done == Z_STREAM_END;
    if (!ended_ && done != Z_OK) return damaged();
    if (stream_.avail_out == 0) return too_long();
    if (stream_.avail_in != 0) return damaged();
    return Bytes(plain_).first(plain_.size() - stream_.avail_out);
  }

private:
  bool const goes_on_;
  bool ended_{false};
  z_stream stream_{};
  std::vector<std::byte> plain_;
};

class ZstdUnpacker final : public Unpacker {
public:
  explicit ZstdUnpacker(std::size_t block_bytes) : plain_(block_bytes) {
    if (!context_) throw std::bad_alloc();
  }

  Result<Bytes> unpack(Bytes stored) override {
    auto const count = ZSTD_decompressDCtx(context_.get(), plain_.data(), plain_.size(),
                                           stored.data(), stored.size());
    if (!ZSTD_isError(count)) return Bytes(plain_).first(count);
    // A frame that claims more than there is room for is not even begun.
    auto const claimed = ZSTD_getFrameContentSize(stored.data(), stored.size());
    bool const told = claimed != ZSTD_CONTENTSIZE_ERROR && claimed != ZSTD_CONTENTSIZE_UNKNOWN;
    return told && claimed > plain_.size() ? too_long() : damaged();
  }

private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
  };
  std::unique_ptr<ZSTD_DCtx, Free> const context_{ZSTD_createDCtx()};
  std::vector<std::byte> plain_;
};

} // namespace

std::unique_ptr<Packer> make_packer(Packing packing) {
  if (packing == Packing::zstd) return std::make_unique<ZstdPacker>();
  return std::make_unique<ZlibPacker>(packing == Packing::stream);
}

std::unique_ptr<Unpacker> make_unpacker(Packing packing, std::size_t block_bytes) {
  if (packing == Packing::zstd) return std::make_unique<ZstdUnpacker>(block_bytes);
  return std::make_unique<ZlibUnpacker>(packing == Packing::stream, block_bytes);
}

} // namespace vitrine::formats::zvhd
