// Operating systems by the name that clients give them (contract: ims-api 3.5, 6.9).
#pragma once

#include "base/result.hpp"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::service {

struct OsVersion {
  std::string platform; ///< Debian, Red Hat, …, Other
  std::string text;     ///< as the list spells it; of a guess, as it was given
  int bit{64};          ///< 32 or 64
  std::string type;     ///< Linux, Windows or Other
  bool uefi{false};     ///< starts by UEFI, too
};

/// What is made of a name that no list has.
enum class OsVersionPolicy : std::uint8_t { strict, open };

/// Immutable after load; thread-safe.
class OsVersions {
public:
  /// The list of the build (os_versions.tsv), and the file at `more` in the same form, whose lines
  /// stand over those of the same name. Error: `invalid_value`, `file:line: reason`.
  static Result<OsVersions> load(OsVersionPolicy policy,
                                 std::optional<std::string> const& more = std::nullopt);

  /// In the order of the files.
  [[nodiscard]] std::span<OsVersion const> all() const { return versions_; }
  /// The entry of that name, in any letter case and spacing; null when no list has it. `redhat` is
  /// `red hat`.
  [[nodiscard]] OsVersion const* find(std::string_view text) const;
  /// The entry of that name, else what the words of the name tell: 64 bit, Linux and Other where
  /// they tell nothing.
  [[nodiscard]] OsVersion describe(std::string_view text) const;
  /// What a client may say who makes an image. Error: `os_version`, for a name of 0 or more than
  /// 255 characters, and in policy `strict` for one that no list has.
  Result<OsVersion> read(std::string_view text) const;

private:
  OsVersions() = default;
  Result<> add(std::string_view table, std::string_view file);

  OsVersionPolicy policy_{OsVersionPolicy::strict};
  std::vector<OsVersion> versions_;
  std::map<std::string, std::size_t, std::less<>> by_name_; ///< as compared
};

} // namespace vitrine::service
