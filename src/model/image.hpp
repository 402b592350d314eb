// The image: what it is, which states it may take, who is meant to see it.
#pragma once

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::model {

/// Contract: glance-v2 1.5, ims-api 3.2.
enum class ImageStatus : std::uint8_t {
  queued,
  saving,
  uploading,
  importing,
  active,
  deactivated,
  killed,
  deleted,
  pending_delete
};
/// Contract: glance-v2 3.1.
enum class Visibility : std::uint8_t { private_, shared, community, public_ };

std::string_view name_of(ImageStatus status) noexcept;
std::string_view name_of(Visibility visibility) noexcept;
std::optional<ImageStatus> status_named(std::string_view name) noexcept;
std::optional<Visibility> visibility_named(std::string_view name) noexcept;
/// Names and values of custom and `__*` properties, sorted by name.
using Properties = std::map<std::string, std::string, std::less<>>;

struct Image {
  ImageId id;
  std::optional<std::string> name;
  ImageStatus status{ImageStatus::queued};
  Visibility visibility{Visibility::private_};
  bool auto_shared{
      false}; ///< made `shared` by its first member, not by a user (contract: ims-api D1)
  bool is_protected{false};
  bool hidden{false};
  bool deactivated_by_admin{false}; ///< then only an administrator may reactivate (decision L7)
  ProjectId owner;
  std::optional<std::string> disk_format;
  std::optional<std::string> container_format;
  std::int64_t min_disk_gib{0};
  std::int64_t min_ram_mib{0};
  std::optional<std::int64_t> size_bytes;
  std::optional<std::int64_t> virtual_size_bytes;
  std::optional<std::string> checksum;   ///< MD5, lower-case hex
  std::optional<std::string> hash_value; ///< SHA-512, lower-case hex
  BlobId blob;                           ///< empty without data
  Time created_at;
  Time updated_at;
  std::optional<Time> active_at;     ///< first time active
  std::string properties_json{"{}"}; ///< object of strings, as stored and as answered
  std::string tags_json{"[]"};       ///< array of strings
  std::int64_t member_count{0};
  std::string upload_id;    ///< names the upload under way; empty when none (fences out a lost one)
  std::string upload_error; ///< why the last upload failed; empty when it did not

  [[nodiscard]] Properties properties() const;
  void set_properties(Properties const& properties);
  [[nodiscard]] std::vector<std::string> tags() const;
  void set_tags(std::vector<std::string> const& tags);
  /// Is it shared as that project sees it: received, or shared out to a member (contract: ims-api
  /// 3.1)? Lists ask the same of the database (store/metadata/listing.cpp).
  [[nodiscard]] bool is_shared_for(ProjectId const& viewer) const;
  /// Value of one property; nothing when absent.
  [[nodiscard]] std::optional<std::string> property(std::string_view name) const;

  friend bool operator==(Image const&, Image const&) = default;
};

} // namespace vitrine::model
