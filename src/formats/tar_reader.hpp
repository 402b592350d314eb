// From header to header of a tar archive. Whoever has the bytes follows the steps: as they stream
// by, or from place to place.
#pragma once

#include "base/result.hpp"
#include "formats/tar_member.hpp"

#include <cstdint>
#include <optional>

namespace vitrine::formats {

/// The rules of an archive: of an OVA all members must be files, since whoever unpacks it must find
/// nothing else.
enum class TarRules : std::uint8_t { any, ova };

/// Where the next thing to read stands.
struct TarStep {
  std::optional<TarMember> member; ///< whose content begins here
  bool ended{false};               ///< no member follows
  std::uint64_t skip{0};           ///< bytes to pass over: the content, padded
  std::size_t length{kTarBlock};   ///< bytes to hand in then
};

/// Holds one extended header at most. Not thread-safe.
class TarReader {
public:
  explicit TarReader(TarRules rules) : rules_(rules) {}

  /// Takes what the last step asked for, at first the first block of the file; `position` is where
  /// it ends. Fault::format_unsafe: damaged, a name that leads out of the archive, a size out of
  /// range, or against the rules.
  Result<TarStep> take(Bytes bytes, std::uint64_t position);

private:
  Result<TarStep> expect_extension(TarMember const& member);
  Result<TarStep> read_extension(Bytes bytes);
  Result<TarStep> open_member(TarMember member, std::uint64_t position);
  Result<> check_for_ova(TarMember const& member, TarExtension const& extension);

  TarRules const rules_;
  int files_{0};
  int extensions_{0};
  std::optional<TarMember> extending_; ///< the extended header whose content comes next
  TarExtension extension_;             ///< of the member that comes next
};

} // namespace vitrine::formats
