// The keys that images are encrypted with. The port; drivers lie beside it.
//
// A master key never leaves its service: that wraps and unwraps the data keys of images. Who may
// use which key is not known here (store/metadata/key_grants.hpp).
#pragma once

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "store/keys/secret.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::store {

enum class KeyState : std::uint8_t { missing, disabled, enabled };

/// A master key, without its bytes.
struct Key {
  std::string id; ///< UUID
  std::string name;
  KeyState state{KeyState::enabled};
  Time created_at;
};

/// A data key as it is stored, with the id of the master key that wraps it.
struct WrappedKey {
  std::string key;
  std::string text; ///< printable; what is in it is the driver's business
};

/// Thread-safe. May block on a disk or the network. Every call may fail with `no_key_service` when
/// there is none, and with `unavailable`.
class KeyService {
public:
  virtual ~KeyService() = default;

  virtual Result<KeyState> state(std::string_view key) = 0;
  /// The id of the key that is meant where a project names none of its own; made when there is none
  /// yet.
  virtual Result<std::string> default_key(ProjectId const& project) = 0;
  /// The state of that key; `missing`, and none is made, when there is none yet.
  virtual Result<KeyState> default_key_state(ProjectId const& project) = 0;

  /// Wraps a data key, so that it can be unwrapped only for the same `bound_to`. Errors:
  /// `key_missing`, `key_disabled`.
  virtual Result<WrappedKey> wrap(std::string_view key, Secret const& data_key,
                                  std::string_view bound_to) = 0;
  /// Errors: `key_missing`, `key_disabled`; `internal` when it was not wrapped for `bound_to`.
  virtual Result<Secret> unwrap(WrappedKey const& wrapped, std::string_view bound_to) = 0;

  // What an operator does. Error: `not_offered` where keys are managed elsewhere.

  /// In the order of their creation.
  virtual Result<std::vector<Key>> list() = 0;
  /// Errors: `invalid_value` for a name that is none; `name_taken`.
  virtual Result<Key> create(std::string_view name) = 0;
  /// Error: `key_missing`.
  virtual Result<> set_enabled(std::string_view key, bool enabled) = 0;
};

/// `data_key` under a master key: what drivers whose service only keeps keys do themselves.
std::string wrap_with(Secret const& master, std::string_view key, Secret const& data_key,
                      std::string_view bound_to);
/// The opposite. Error: `internal` when it is not what `wrap_with` made of these.
Result<Secret> unwrap_with(Secret const& master, WrappedKey const& wrapped,
                           std::string_view bound_to);

} // namespace vitrine::store
