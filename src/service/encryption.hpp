// Encrypted images: who may use which key, and the way to their plain bytes (docs/encryption.md).
//
// Each image has a data key of its own, wrapped by a key of the key service. What is asked of the
// key service inside a unit of work is only the state of a key.
#pragma once

#include "base/result.hpp"
#include "model/caller.hpp"
#include "model/image.hpp"
#include "store/blobs/blobs.hpp"
#include "store/keys/key_service.hpp"
#include "store/metadata/connection.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vitrine::service {

/// The property that names the key of an image.
inline constexpr std::string_view kKeyProperty = "__system__cmkid";
/// How the key of a project is named that is made without being asked for; `default` will do, too.
inline constexpr std::string_view kDefaultKey = "ims/default";

/// The key that the image is encrypted with: an id, or `kDefaultKey`. Nothing when it is not.
std::optional<std::string> key_of(model::Image const& image);
/// As the property has it: the names of the default key are one.
std::string key_named(std::string_view cmk_id);

/// A data key that nobody has used yet, and how it is stored.
struct Seal {
  store::Secret data_key;
  store::WrappedKey wrapped;
};

/// Thread-safe.
class Encryption {
public:
  /// Both must outlive it and what it opens.
  Encryption(store::KeyService& keys, store::Blobs& blobs) : keys_(keys), blobs_(blobs) {}

  /// May the caller have `image`, which is to be made, encrypted with that key (`cmk_id`)? Inside a
  /// unit of work. Errors: `iso_image`, `bare_metal_encrypted`, `no_key_service`,
  /// `new_key_missing`, `new_key_not_granted`, `new_key_disabled`.
  Result<> check_new(store::Connection& connection, model::Caller const& caller,
                     model::Image const& image, std::string_view key) const;
  /// May the caller have the plain bytes of the image? Inside a unit of work. Success when it is
  /// not encrypted. Errors: `own_key_not_granted`, `key_missing`, `key_disabled`, `no_key_service`.
  Result<> check_use(store::Connection& connection, model::Caller const& caller,
                     model::Image const& image) const;
  /// As `check_use`, but whether the key can be used now is left to `open`. Error:
  /// `own_key_not_granted`.
  Result<> check_grant(store::Connection& connection, model::Caller const& caller,
                       model::Image const& image) const;
  /// Why the image cannot be shared for its key's sake, whoever is to receive it:
  /// `encrypted_default_key`, `key_missing`, `key_disabled`, `no_key_service`. Nothing when it can.
  Result<std::optional<Fault>> forbids_sharing(model::Image const& image) const;

  /// A new data key for an image. Errors: `no_key_service`, `new_key_missing`, `new_key_disabled`.
  Result<Seal> seal(model::Image const& image, std::string_view key) const;
  /// The plain bytes of the image; `wrapped` is its data key, nothing when it is not encrypted.
  /// Errors: `not_found` when the store has no such bytes, `key_missing`, `key_disabled`,
  /// `no_key_service`, `unavailable`, `internal`.
  Result<std::unique_ptr<StoredBytes>> open(model::Image const& image,
                                            std::optional<store::WrappedKey> const& wrapped) const;

private:
  Result<> require_enabled(std::string_view key) const;

  store::KeyService& keys_;
  store::Blobs& blobs_;
};

} // namespace vitrine::service
