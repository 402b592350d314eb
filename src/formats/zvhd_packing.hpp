// How the blocks of a ZVHD or ZVHD2 are compressed.
#pragma once

#include "base/result.hpp"
#include "formats/reader.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace vitrine::formats::zvhd {

/// What a record holds. The names are also the order of the numbers in the header of a ZVHD2.
enum class Packing : std::uint8_t {
  zlib,   ///< a stream of its own, to the point where it was flushed
  zstd,   ///< a frame
  stream, ///< of ZVHD: the next part of one zlib stream that goes through all records
};

/// Not thread-safe. Throws std::bad_alloc.
class Packer {
public:
  virtual ~Packer() = default;
  /// What is to be stored of a block, at most twice its size; valid until the next call.
  virtual Bytes pack(Bytes block) = 0;
};

/// Not thread-safe. Throws std::bad_alloc. Memory: the largest block, and about 50 KiB.
class Unpacker {
public:
  virtual ~Unpacker() = default;
  /// The block, valid until the next call. Fault::format_unsafe: damaged, or longer than a block.
  virtual Result<Bytes> unpack(Bytes stored) = 0;
};

std::unique_ptr<Packer> make_packer(Packing packing);
std::unique_ptr<Unpacker> make_unpacker(Packing packing, std::size_t block_bytes);

} // namespace vitrine::formats::zvhd
