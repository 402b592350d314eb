// Bodies that must be whole before anything of them counts, in files that have no name.
#pragma once

#include "base/result.hpp"

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

namespace vitrine::api {

class Spools;

/// Whose share a body takes, as far as anybody knows.
struct SpoolHolder {
  std::string key; ///< that the request names; many may know it
  std::string network;

  auto operator<=>(SpoolHolder const&) const = default;
  [[nodiscard]] std::string text() const { return key + "@" + network; }
};

/// One body: written from its front to its end, then read likewise. Its file is gone with it, or
/// with the process. Not thread-safe.
class Spool {
public:
  ~Spool();
  Spool(Spool const&) = delete;
  Spool& operator=(Spool const&) = delete;

  /// Errors: `too_large`, with the limit; `unavailable` while other bodies take the room;
  /// `store_full` when the disk has none.
  Result<> write(std::span<std::byte const> bytes);
  /// As many of the next bytes as fit; 0 at the end. Error: `unavailable`.
  Result<std::size_t> read(std::span<std::byte> into);

  [[nodiscard]] SpoolHolder const& holder() const noexcept { return holder_; }
  [[nodiscard]] std::uint64_t size_bytes() const noexcept { return size_bytes_; }

private:
  friend class Spools;
  Spool(Spools& spools, SpoolHolder holder, int descriptor)
      : spools_(spools), holder_(std::move(holder)), descriptor_(descriptor) {}

  Spools& spools_;
  SpoolHolder const holder_;
  int const descriptor_;
  std::uint64_t size_bytes_{0};
  std::uint64_t read_bytes_{0};
};

/// The disk that all of them share, and the memory: each body on its way keeps a block. Nobody has
/// proven who sends it, so no holder takes more than half of what all others leave, and all holders
/// of one key together no more than half of everything. Each further key finds half as much: who
/// knows many of them can still take nearly all.
/// Thread-safe; must outlive its spools.
class Spools {
public:
  struct Options {
    std::string directory; ///< made if it is not there
    std::uint64_t size_bytes_max{0};
    std::uint64_t total_bytes_max{0}; ///< of all bodies
    std::chrono::seconds time{0};     ///< for a body to come; those who fill it hold to that
  };

  /// Error: `unavailable` when files cannot be made there.
  static Result<std::unique_ptr<Spools>> open(Options options);

  /// For a body of so many bytes, if its length is known. Errors: `too_large`, `unavailable`,
  /// `store_full`.
  Result<std::unique_ptr<Spool>> begin(SpoolHolder const& holder,
                                       std::optional<std::uint64_t> length);

  [[nodiscard]] std::chrono::seconds time() const noexcept { return options_.time; }

  struct Taken {
    std::size_t count{0};
    std::uint64_t bytes{0};
  };
  /// By all that are under way.
  [[nodiscard]] Taken taken() const;

private:
  friend class Spool;
  explicit Spools(Options options) : options_(std::move(options)) {}

  [[nodiscard]] Result<> check_size(std::uint64_t bytes) const;
  Result<> enter(SpoolHolder const& holder);
  Result<> take(SpoolHolder const& holder, std::uint64_t bytes);
  void leave(SpoolHolder const& holder, std::uint64_t bytes);

  Options const options_;
  mutable std::mutex mutex_;
  Taken taken_;
  // Who has none is in neither.
  std::map<SpoolHolder, Taken> taken_by_;
  std::map<std::string, Taken> taken_with_; ///< a key, by all its holders
};

} // namespace vitrine::api
