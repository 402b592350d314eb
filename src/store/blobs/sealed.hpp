// Image data sealed with a data key, in segments that can be opened alone (docs/encryption.md).
//
// Plain bytes are cut into segments of 64 KiB, the last of which may be shorter, and empty only
// when there are no bytes at all. Each is sealed by AES-256-GCM and stored with its tag behind it.
// That is the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015): the nonce holds the
// number of the segment and whether it is the last, so that none can be moved, left out, repeated
// or cut off unseen; the associated data holds the id of the blob. A data key is for one blob.
#pragma once

#include "base/stored_bytes.hpp"
#include "store/blobs/blobs.hpp"
#include "store/keys/secret.hpp"

#include <cstdint>
#include <memory>
#include <optional>

namespace vitrine::store {

/// Plain bytes of a segment: what a read of one byte costs, against 16 bytes more on the disk.
constexpr std::size_t kSegmentBytes = 64U << 10U;

/// How many bytes that many plain ones are once sealed.
std::uint64_t sealed_size_bytes(std::uint64_t plain_bytes) noexcept;
/// The opposite; nothing when no bytes have that length sealed.
std::optional<std::uint64_t> plain_size_bytes(std::uint64_t sealed_bytes) noexcept;

/// Seals what is written and hands it to `into`.
std::unique_ptr<BlobWriter> seal(std::unique_ptr<BlobWriter> into, Secret const& key,
                                 BlobId const& blob);

/// The plain bytes of a sealed blob. Reads no more of it than the segments asked for. Error:
/// `not_found` when its length is none of sealed bytes. A read fails with `internal` when what is
/// stored is not what was sealed there: it does not come back by waiting.
Result<std::unique_ptr<StoredBytes>> unseal(std::unique_ptr<StoredBytes> sealed, Secret const& key,
                                            BlobId const& blob);

} // namespace vitrine::store
