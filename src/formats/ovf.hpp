// The OVF descriptor of a virtual machine: which files are its disks, and in which order (DSP0243).
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::formats {

/// A disk whose content is a file beside the descriptor.
struct OvfDisk {
  std::string file;                        ///< where the descriptor says it lies
  std::optional<std::uint64_t> size_bytes; ///< of the file, when it tells
};

/// The disks of the one machine that is described, none twice: in the order of its drives, then
/// those that no drive has. Disks without a file are made empty when a machine is made, and are
/// left out. Fault::format_unsafe: no such document, or one of several machines, disks that build
/// on others, and files that are packed or cut into pieces.
Result<std::vector<OvfDisk>> ovf_disks(std::string_view document);

} // namespace vitrine::formats
