// The disks in an OVA, found without reading them.
#pragma once

#include "base/result.hpp"
#include "base/stored_bytes.hpp"

#include <cstdint>
#include <vector>

namespace vitrine::formats {

/// A disk of the machine, as it lies in the archive.
struct OvaDisk {
  std::uint64_t offset;
  std::uint64_t size_bytes;
};

/// The disks in the order of the machine, the first being that of its system. Reads the headers of
/// the members and the descriptor, which may have 1 MiB; what the disks are is not looked at.
/// Errors: those of `archive`; Fault::format_mismatch when it is no tar archive that begins with an
/// OVF descriptor; Fault::format_unsafe when something in it cannot be trusted, or a disk is
/// missing.
Result<std::vector<OvaDisk>> ova_disks(StoredBytes& archive);

} // namespace vitrine::formats
