// Seals secrets that must be read again, with a key in a file of its own: a copy of the database
// alone tells none of them.
#pragma once

#include "base/result.hpp"

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace vitrine::identity::builtin {

/// Thread-safe. The file is read when it is first needed.
class SecretSeal {
public:
  explicit SecretSeal(std::string file) : file_(std::move(file)) {}

  /// The secret as text that only the key of the file opens, and only for the same `purpose`.
  /// `earlier` is a text sealed before, if there is one: without it the file is made when it is
  /// missing (mode 0600), with it the file must be the one that sealed it. Error: `unavailable`,
  /// which names the file.
  Result<std::string> seal(std::string_view secret, std::string_view purpose,
                           std::optional<std::string> const& earlier);
  /// Error: `unavailable` when it was sealed by another key or changed; why is in the log.
  Result<std::string> open(std::string_view sealed, std::string_view purpose);

private:
  struct Key {
    std::array<std::uint8_t, 32> bytes{};
    std::string name; ///< says which key it is, and nothing about it
  };
  /// Nothing when there is no file.
  Result<std::optional<Key>> read();
  Result<Key> make();

  std::string const file_;
  std::mutex mutex_;
  std::optional<Key> key_;
};

} // namespace vitrine::identity::builtin
