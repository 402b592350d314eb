// The header of a member of a tar archive, and the extended headers that change what it says.
#pragma once

#include "base/result.hpp"
#include "formats/reader.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vitrine::formats {

constexpr std::size_t kTarBlock = 512; // of headers; members are padded to it

struct TarMember {
  enum class Kind : std::uint8_t {
    file,
    folder,
    extended,        ///< pax: its content tells of the next member
    extended_global, ///< pax: of all members that follow
    long_name,       ///< GNU: its content is the name of the next member
    other,           ///< links, devices, and what nobody knows
  };
  Kind kind;
  std::string name;
  std::uint64_t size_bytes;
};

/// What extended headers say of the next member.
struct TarExtension {
  std::optional<std::string> name;
  std::optional<std::uint64_t> size_bytes;
  bool sparse{false}; ///< its content is not that of the file, but parts of it
};

/// Whether the first bytes are the header of a tar archive.
bool is_tar(Bytes head);
/// Whether that is the name of an OVF descriptor: an archive that begins with one is an OVA.
bool is_ovf(std::string_view name);
/// Reads a block that is not all zero. Fault::format_unsafe when it is damaged.
Result<TarMember> tar_member_in(Bytes block);
/// Adds the records of a pax header. Fault::format_unsafe when they cannot be read.
Result<> extend(TarExtension& extension, std::string_view records);
/// Bytes that a member takes after its header.
std::uint64_t padded(std::uint64_t size_bytes);

} // namespace vitrine::formats
