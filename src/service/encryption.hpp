// Encrypted images: who may use which key, and the way to their plain bytes (docs/encryption.md).
//
// Each image has a data key of its own, wrapped by a key of the key service. That is never asked
// inside a unit of work, which other writers may wait for: what a unit must know is asked before.
#pragma once

#include "base/result.hpp"
#include "model/caller.hpp"
#include "model/image.hpp"
#include "store/blobs/blobs.hpp"
#include "store/keys/key_service.hpp"
#include "store/metadata/database.hpp"

#include <functional>
#include <map>
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
/// As the property has it: the names of the default key are one, and ids have small letters.
std::string key_named(std::string_view cmk_id);

/// A data key that nobody has used yet, and how it is stored.
struct Seal {
  store::Secret data_key;
  store::WrappedKey wrapped;
};

/// What the key service says of the keys that a unit of work meets. The unit is run to find out
/// which they are; then they are asked for, and it is run again. Of one thread at a time.
class KeyStates {
public:
  /// Inside the unit of work. `enabled` of a key that is still to be asked for: that run comes to
  /// nothing. Errors: `no_key_service`, `unavailable`.
  Result<store::KeyState> of(std::string_view key);
  /// The same of the default key of a project; `missing` when it is still to be made.
  Result<store::KeyState> of_default(ProjectId const& project);

private:
  friend class Encryption;
  struct Question {
    std::string key;   ///< an id, or `kDefaultKey`
    ProjectId project; ///< whose default key
    auto operator<=>(Question const&) const = default;
  };
  Result<store::KeyState> answer_to(Question const& question);
  [[nodiscard]] bool has_questions() const;
  void ask(store::KeyService& keys);

  std::map<Question, std::optional<Result<store::KeyState>>> answers_;
};

/// A unit of work that must know the states of keys.
using KeyWork = std::function<Result<>(store::Connection&, KeyStates&)>;

/// Thread-safe.
class Encryption {
public:
  /// Runs units of work: `store::Database::write` or what calls it.
  using Run = std::function<Result<>(store::Database::Work const&)>;

  /// Both must outlive it and what it opens.
  Encryption(store::KeyService& keys, store::Blobs& blobs) : keys_(keys), blobs_(blobs) {}

  /// Runs `work` as a unit of work by `run`, until one run has met no key that was not asked for
  /// before it. Errors: those of `run`.
  Result<> in_unit(Run const& run, KeyWork const& work) const;

  /// May the caller have `image`, which is to be made, encrypted with that key (`cmk_id`)? Inside a
  /// unit of work. Errors: `iso_image`, `bare_metal_encrypted`, `no_key_service`,
  /// `new_key_missing`, `new_key_not_granted`, `new_key_disabled`.
  static Result<> check_new(store::Connection& connection, KeyStates& states,
                            model::Caller const& caller, model::Image const& image,
                            std::string_view key);
  /// May the caller have the plain bytes of the image? Inside a unit of work. Success when it is
  /// not encrypted. Errors: `own_key_not_granted`, `key_missing`, `key_disabled`, `no_key_service`.
  static Result<> check_use(store::Connection& connection, KeyStates& states,
                            model::Caller const& caller, model::Image const& image);
  /// As `check_use`, but whether the key can be used now is left to `open`. Error:
  /// `own_key_not_granted`.
  static Result<> check_grant(store::Connection& connection, model::Caller const& caller,
                              model::Image const& image);
  /// Why the image cannot be shared for its key's sake, whoever is to receive it:
  /// `encrypted_default_key`, `key_missing`, `key_disabled`, `no_key_service`. Nothing when it can.
  /// Inside a unit of work.
  static Result<std::optional<Fault>> forbids_sharing(KeyStates& states, model::Image const& image);

  /// A new data key for an image. Errors: `no_key_service`, `new_key_missing`, `new_key_disabled`.
  Result<Seal> seal(model::Image const& image, std::string_view key) const;
  /// The plain bytes of the image; `wrapped` is its data key, nothing when it is not encrypted.
  /// Errors: `not_found` when the store has no such bytes, `key_missing`, `key_disabled`,
  /// `no_key_service`, `unavailable`, `internal`.
  Result<std::unique_ptr<StoredBytes>> open(model::Image const& image,
                                            std::optional<store::WrappedKey> const& wrapped) const;
  /// As `open`, for a job, which would wait in vain for data that is gone: `internal` when the
  /// store has not all of it.
  Result<std::unique_ptr<StoredBytes>>
  open_whole(model::Image const& image, std::optional<store::WrappedKey> const& wrapped) const;

private:
  store::KeyService& keys_;
  store::Blobs& blobs_;
};

} // namespace vitrine::service
