// What the bytes of an upload are, found while they stream by, and whether they fit what was
// declared.
#pragma once

#include "base/result.hpp"
#include "formats/format.hpp"
#include "formats/probe.hpp"
#include "formats/source.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace vitrine::formats {

/// What an inspection found.
struct Finding {
  Format format{Format::raw};
  std::uint64_t size_bytes{0}; ///< of the whole upload; 0 before `finish`
  /// Bytes of the disk a server would see; nothing when unknown (archives, compressed data, refused
  /// files).
  std::optional<std::uint64_t> virtual_size_bytes;
  /// Why the image must be refused whatever was declared; reads on after the format's name.
  std::optional<std::string> unsafe;
  /// The bytes can be used as a plain disk as well: a hybrid ISO.
  bool serves_plain{false};

  bool operator==(Finding const&) const = default;
};

/// Sees the bytes of one upload, once and in order. Costs next to nothing past the headers; memory
/// is bounded (see Source; about 70 KiB for a raw disk, 1.2 MiB at most, and as much again for the
/// disk in an OVA). Not thread-safe. The finding does not depend on how the bytes were cut into
/// chunks.
class Inspector {
public:
  /// What the bytes are: an upload, or a file in an archive. Archives in archives are not opened.
  enum class Place : std::uint8_t { upload, member };
  explicit Inspector(Place place = Place::upload) : place_(place) {}

  /// Takes the next bytes. Not after `finish`.
  void feed(std::span<std::byte const> chunk);
  /// What is certain before the end: set once the format is known from the first bytes. When
  /// `check` refuses this finding the upload can be refused at once; when it accepts, only `finish`
  /// tells.
  [[nodiscard]] std::optional<Finding> early() const;
  /// The verdict over all bytes fed. May be called again.
  Finding finish();

private:
  void look();
  void recognise();
  void begin_walk();
  void walk(Bytes bytes);
  void refuse(Error const& reason);

  Place place_;
  Source source_;
  Probe const* probe_{nullptr};
  std::unique_ptr<Walk> walk_; ///< while it may still find something
  Finding finding_;
  bool looked_{false};  ///< the head was looked at
  bool decided_{false}; ///< the finding is final
};

/// What the operator allows.
struct Rules {
  bool allow_raw_mismatch{
      false}; ///< `[formats] allow_raw_mismatch`: other formats may be declared raw
};

/// What to record of an upload that fits.
struct Accepted {
  std::string disk_format;
  std::optional<std::uint64_t> virtual_size_bytes; ///< nothing when unknown
};

/// Whether what was found fits what was declared. An empty `disk_format` takes the one found, an
/// empty `container_format` means bare; `ova` wants one, `compressed` wants compressed data,
/// `docker` and `ovf` take any archive or compressed data. Fault::format_unsafe,
/// Fault::format_mismatch; the detail names both formats.
Result<Accepted> check(Finding const& finding, std::string_view disk_format,
                       std::string_view container_format, Rules const& rules = {});

} // namespace vitrine::formats
