// The formats we know, in one list. A new format is one line here and one file that defines its
// probe.
#pragma once

#include <cstdint>
#include <string_view>

namespace vitrine::formats {

/// What the bytes of a format are to us; `check` decides by it.
enum class Nature : std::uint8_t {
  plain,   ///< the bytes are the disk
  disk,    ///< a disk inside a structure of its own
  archive, ///< several files in one
  packed,  ///< compressed, of whatever
  page,    ///< a document, most often an error answer that somebody saved as an image
};

// name as on the wire or, for what is no disk_format, as told to a user; nature
#define VITRINE_FORMATS(X)                                                                         \
  X(qcow2, disk)                                                                                   \
  X(qcow, disk)                                                                                    \
  X(qed, disk)                                                                                     \
  X(vmdk, disk)                                                                                    \
  X(vhd, disk)                                                                                     \
  X(vhdx, disk)                                                                                    \
  X(vdi, disk)                                                                                     \
  X(ploop, disk)                                                                                   \
  X(zvhd, disk)                                                                                    \
  X(zvhd2, disk)                                                                                   \
  X(iso, disk)                                                                                     \
  X(luks, plain)                                                                                   \
  X(ova, archive)                                                                                  \
  X(tar, archive)                                                                                  \
  X(gzip, packed)                                                                                  \
  X(bzip2, packed)                                                                                 \
  X(xz, packed)                                                                                    \
  X(zstd, packed)                                                                                  \
  X(lz4, packed)                                                                                   \
  X(lzip, packed)                                                                                  \
  X(zip, packed)                                                                                   \
  X(sevenzip, packed)                                                                              \
  X(lha, packed)                                                                                   \
  X(html, page)                                                                                    \
  X(xml, page)

enum class Format : std::uint8_t {
  raw, ///< none of the others
#define X(name, nature) name,
  VITRINE_FORMATS(X)
#undef X
};

/// Name of a format; for a disk format the value of `disk_format` that declares it. Constant.
std::string_view name_of(Format format) noexcept;
/// Nature of a format. Constant.
Nature nature_of(Format format) noexcept;

} // namespace vitrine::formats
