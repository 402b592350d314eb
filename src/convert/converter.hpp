// Turns stored bytes of one disk format into another.
#pragma once

#include "base/stored_bytes.hpp"
#include "convert/sandbox.hpp"
#include "formats/byte_sink.hpp"
#include "formats/inspector.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace vitrine::convert {

struct Options {
  std::string directory; ///< for what is being converted; made if it is not there
  std::string qemu_img;
  std::chrono::seconds time{0};     ///< of one run of qemu-img
  std::uint64_t memory_bytes{0};    ///< of one run of qemu-img
  std::int64_t parallel{1};         ///< conversions at once; others wait
  std::uint64_t disk_bytes_max{0};  ///< largest disk that is converted
  formats::Rules rules{};           ///< those that uploads were judged by
  std::optional<Sandbox> sandbox{}; ///< nothing: the first that works
  /// Told once, when qemu-img is first needed and cannot be used: why, for who can mend it.
  std::function<void(std::string_view why)> unusable = [](std::string_view) {};
};

struct Converted {
  std::unique_ptr<StoredBytes> data; ///< a file of its own, removed with this
  std::uint64_t disk_bytes{0};       ///< what a server would see
};

/// Thread-safe.
class Converter {
public:
  /// Makes the directory and removes from it what a process that is gone has left. Several
  /// processes may share it. Error: Fault::unavailable.
  static Result<std::unique_ptr<Converter>> open(Options options);

  /// Whether `to` can be made of `from`: each of raw, qcow2, vhd, vmdk, zvhd and zvhd2 of any disk
  /// but itself, as far as qemu-img and a sandbox are there. Error: Fault::format_unwritable.
  [[nodiscard]] Result<> check(formats::Format from, formats::Format to) const;

  /// The largest disk that is converted.
  [[nodiscard]] std::uint64_t disk_bytes_max() const noexcept { return options_.disk_bytes_max; }

  /// Blocks. The disk of `source`, which has the format `from`, in a file of format `to`. vmdk is
  /// streamOptimized, vhd dynamic. A disk that is no multiple of 512 bytes is filled up to one.
  /// `progress` may fail, which ends the conversion.
  ///
  /// Errors: Fault::format_unwritable; Fault::format_mismatch and Fault::format_unsafe of a source
  /// that is not what it is said to be; Fault::too_large; Fault::conversion_failed with the limit
  /// that was passed; Fault::store_full; Fault::unavailable; those of `source` and `progress`.
  Result<Converted> convert(StoredBytes& source, formats::Format from, formats::Format to,
                            formats::Progress const& progress);

private:
  class Place;
  class Turn;

  explicit Converter(Options options) : options_(std::move(options)) {}
  /// Found out once, when it is first needed: it takes a process or two.
  std::optional<Sandbox> sandbox() const;
  Result<std::shared_ptr<Place>> make_place() const;
  Result<Converted> convert_in(Place& place, StoredBytes& source, formats::Format from,
                               formats::Format to, formats::Progress const& progress) const;
  Result<> run_qemu(Place const& place, formats::Format from, formats::Format to,
                    std::uint64_t disk_bytes, formats::Progress const& progress) const;

  Options const options_;
  mutable std::once_flag looked_;
  mutable std::optional<Sandbox> sandbox_; ///< nothing: qemu-img cannot be used
  std::mutex mutex_;
  std::condition_variable freed_;
  std::int64_t running_{0};
};

} // namespace vitrine::convert
