// Identifiers as distinct types, so that a project id cannot be passed where an image id belongs.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>

namespace vitrine {

template <class Tag>
struct Id {
  std::string text;

  [[nodiscard]] bool empty() const noexcept { return text.empty(); }
  friend auto operator<=>(Id const&, Id const&) = default;
};

using ImageId = Id<struct ImageTag>; ///< UUID, 8-4-4-4-12 lower-case hex
using ProjectId =
    Id<struct ProjectTag>; ///< 1..64 of A-Z a-z 0-9 . _ - (native members: any UTF-8, 1..255)
using UserId = Id<struct UserTag>;     ///< 32 lower-case hex when made here
using DomainId = Id<struct DomainTag>; ///< 32 lower-case hex when made here, or "default"
using JobId = Id<struct JobTag>;       ///< 32 lower-case hex
using BlobId = Id<struct BlobTag>;     ///< 32 lower-case hex, perhaps with @STORE; names bytes

/// A new random (version 4) UUID, dashed.
std::string new_uuid();
/// 32 lower-case hex characters of randomness.
std::string new_hex_id();
/// True for 8-4-4-4-12 hex digits, either case.
bool is_uuid(std::string_view text) noexcept;
/// True for 1..64 of `A-Z a-z 0-9 . _ -` (contract: ims-api 2.5).
bool is_project_id(std::string_view text) noexcept;
/// True for exactly 32 lower-case hex digits (contract: ims-api 2.5).
bool is_job_id(std::string_view text) noexcept;
/// True for 3..63 of `a-z 0-9 . -` with a letter or digit at both ends and no `..`, what any object
/// store takes (contract: error codes, IMG.0109).
bool is_bucket_name(std::string_view text) noexcept;

} // namespace vitrine

template <class Tag>
struct std::hash<vitrine::Id<Tag>> {
  std::size_t operator()(vitrine::Id<Tag> const& id) const noexcept {
    return std::hash<std::string>{}(id.text);
  }
};
