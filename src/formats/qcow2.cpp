// qcow2, versions 2 and 3: the header, its extensions, and where its tables lie.
#include "formats/probe.hpp"

#include <string>

namespace vitrine::formats {
namespace {

constexpr std::string_view kMagic = "QFI\xfb";
constexpr std::size_t kHeaderV2 = 72;
constexpr std::size_t kHeaderV3 = 104;
constexpr std::uint32_t kClusterBitsMin = 9;
constexpr std::uint32_t kClusterBitsMax = 21;
constexpr std::uint64_t kL1BytesMax = 32U << 20U;      // what readers are ready to allocate
constexpr std::uint64_t kRefcountBytesMax = 8U << 20U; // likewise
constexpr std::uint32_t kSnapshotsMax = 65'536;
constexpr int kExtensionsMax = 64; // writers use at most half a dozen

constexpr std::uint64_t kDirty = 1U << 0U;
constexpr std::uint64_t kCorrupt = 1U << 1U;
constexpr std::uint64_t kDataFile = 1U << 2U;
constexpr std::uint64_t kCompressionType = 1U << 3U;
constexpr std::uint64_t kExtendedL2 = 1U << 4U;
constexpr std::uint64_t kKnownFeatures =
    kDirty | kCorrupt | kDataFile | kCompressionType | kExtendedL2;

constexpr std::uint32_t kEndOfExtensions = 0;
constexpr std::uint32_t kDataFileName = 0x44415441;
constexpr std::uint32_t kCryptoHeader = 0x0537be77;

struct Header {
  std::uint32_t version;
  std::uint32_t cluster_bits;
  std::uint64_t size_bytes;
  std::uint32_t crypt_method;
  std::uint32_t l1_entries;
  std::uint64_t l1_offset;
  std::uint64_t refcount_offset;
  std::uint32_t refcount_clusters;
  std::uint32_t snapshots;
  std::uint64_t snapshots_offset;
  std::uint64_t features{0};
  std::uint32_t refcount_order{4};
  std::uint32_t length{kHeaderV2};
  std::uint8_t compression{0};

  [[nodiscard]] std::uint64_t cluster_bytes() const { return std::uint64_t{1} << cluster_bits; }
};

Result<Header> read_header(Source& source) {
  auto const bytes = TRY(source.read(0, kHeaderV2, "its header"));
  Header header{.version = be32(bytes, 4),
                .cluster_bits = be32(bytes, 20),
                .size_bytes = be64(bytes, 24),
                .crypt_method = be32(bytes, 32),
                .l1_entries = be32(bytes, 36),
                .l1_offset = be64(bytes, 40),
                .refcount_offset = be64(bytes, 48),
                .refcount_clusters = be32(bytes, 56),
                .snapshots = be32(bytes, 60),
                .snapshots_offset = be64(bytes, 64)};
  if (header.version < 2 || header.version > 3) {
    return unsafe("is of an unknown version, " + std::to_string(header.version));
  }
  if (be64(bytes, 8) != 0 || be32(bytes, 16) != 0) return unsafe("names a backing file");
  if (header.cluster_bits < kClusterBitsMin || header.cluster_bits > kClusterBitsMax) {
    return unsafe("has a cluster size out of range");
  }
  if (header.version == 2) return header;

  auto const more = TRY(source.read(0, kHeaderV3, "its header"));
  header.features = be64(more, 72);
  header.refcount_order = be32(more, 96);
  header.length = be32(more, 100);
  if (header.length < kHeaderV3 || header.length % 8 != 0 ||
      header.length > header.cluster_bytes()) {
    return unsafe("has a header length out of range");
  }
  if (header.length > kHeaderV3) {
    header.compression = u8(TRY(source.read(kHeaderV3, 1, "its header")), 0);
  }
  return header;
}

Result<> check_features(Header const& header) {
  if ((header.features & kDataFile) != 0) return unsafe("keeps its data in an external file");
  if ((header.features & kCorrupt) != 0) return unsafe("is marked corrupt");
  if ((header.features & ~kKnownFeatures) != 0) return unsafe("needs features that are not known");
  bool const typed = (header.features & kCompressionType) != 0;
  if (header.compression > 1 || typed != (header.compression != 0)) {
    return unsafe("is compressed by an unknown method");
  }
  if ((header.features & kExtendedL2) != 0 && header.cluster_bits < 14) {
    return unsafe("has clusters too small for subclusters");
  }
  if (header.refcount_order > 6) return unsafe("has a reference count width out of range");
  if (header.crypt_method > 2) return unsafe("is encrypted by an unknown method");
  return {};
}

// Extensions follow the header and end with the first cluster.
Result<> check_extensions(Source& source, Header const& header) {
  std::uint64_t offset = header.length;
  auto const end = header.cluster_bytes();
  for (int count = 0; end - offset >= 8; ++count) {
    if (count == kExtensionsMax) return unsafe("has too many header extensions");
    auto const head = TRY(source.read(offset, 8, "its header extensions"));
    auto const type = be32(head, 0);
    std::uint64_t const length = be32(head, 4);
    offset += 8;
    if (type == kEndOfExtensions) return {};
    if (type == kDataFileName) return unsafe("names an external data file");
    if (length > end - offset) return unsafe("has a header extension that passes its cluster");
    if (type == kCryptoHeader && header.crypt_method != 2) {
      return unsafe("has a key header without encryption");
    }
    offset += std::min(end - offset, pieces(length, 8) * 8);
  }
  return {};
}

// A table must begin at a cluster, not over the header, and be of a size that readers can hold.
Result<> check_tables(Header const& header) {
  auto const aligned = [&](std::uint64_t offset) {
    return offset != 0 && offset % header.cluster_bytes() == 0;
  };
  TRY(check_virtual_size(header.size_bytes));
  auto const l2_entry = (header.features & kExtendedL2) != 0 ? 16U : 8U;
  auto const per_l1_entry = header.cluster_bytes() / l2_entry * header.cluster_bytes();
  if (std::uint64_t{header.l1_entries} * 8 > kL1BytesMax) {
    return unsafe("has a first-level table that is too large");
  }
  if (header.l1_entries < pieces(header.size_bytes, per_l1_entry)) {
    return unsafe("has a first-level table too small for its virtual size");
  }
  if (header.l1_entries > 0 && !aligned(header.l1_offset)) {
    return unsafe("has a misplaced first-level table");
  }
  if (header.refcount_clusters == 0 || !aligned(header.refcount_offset) ||
      header.refcount_clusters * header.cluster_bytes() > kRefcountBytesMax) {
    return unsafe("has a reference count table out of range");
  }
  if (header.snapshots > kSnapshotsMax ||
      (header.snapshots > 0 && !aligned(header.snapshots_offset))) {
    return unsafe("has a snapshot table out of range");
  }
  return {};
}

std::optional<std::size_t> last_used(Bytes bytes) {
  for (std::size_t i = bytes.size(); i-- > 0;) {
    if (bytes[i] != std::byte{0}) return i;
  }
  return std::nullopt;
}

// Where the last cluster begins that has a reference, as far as the tables come in order and are of
// the usual size; 0 when they tell nothing. A file that is shorter was cut in the middle.
Result<std::uint64_t> last_cluster(Source& source, Header const& header) {
  constexpr std::uint64_t kLookAt = 64U << 10U;
  auto const length = static_cast<std::size_t>(std::min(header.cluster_bytes(), kLookAt));
  // With lazy reference counts the tables of an image that was not closed are stale.
  if ((header.features & kDirty) != 0 || source.passed(header.refcount_offset, length)) return 0;
  auto const table = TRY(source.read(header.refcount_offset, length, "its reference counts"));
  auto const used = last_used(table);
  if (!used) return 0;
  auto const entry = *used / 8;
  auto const block_offset = be64(table, entry * 8);
  if (block_offset % header.cluster_bytes() != 0 || source.passed(block_offset, length)) return 0;
  auto const block = TRY(source.read(block_offset, length, "its reference counts"));
  auto const byte = last_used(block);
  if (!byte) return 0;
  auto const per_block = header.cluster_bytes() * 8 >> header.refcount_order;
  return (entry * per_block + (*byte * 8 >> header.refcount_order)) * header.cluster_bytes();
}

Result<VirtualSize> inspect(Source& source) {
  auto const header = TRY(read_header(source));
  TRY(check_features(header));
  TRY(check_extensions(source, header));
  TRY(check_tables(header));
  auto const used = TRY(last_cluster(source, header));

  auto const size = TRY(source.size());
  if (used >= size) return unsafe("is cut: a cluster lies beyond the end of the file");
  if (!lies_within(header.l1_offset, std::uint64_t{header.l1_entries} * 8, size) ||
      header.refcount_offset >= size || (header.snapshots > 0 && header.snapshots_offset >= size)) {
    return unsafe("is cut: a table lies beyond the end of the file");
  }
  return header.size_bytes;
}

} // namespace

Probe qcow2_probe() {
  return {.format = Format::qcow2,
          .begins =
              [](Bytes head) {
                return stands_at(head, 0, kMagic) && (head.size() < 8 || be32(head, 4) != 1);
              },
          .inspect = inspect};
}

} // namespace vitrine::formats
