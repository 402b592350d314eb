// The built-in key service: a file that holds the master keys.
//
// One key a line, after a first line that names the format: id, state, time of creation
// (microseconds since 1970), the key in hex, name. The file is for its owner alone and is replaced
// as a whole, so that it is never seen half written. Several processes may use it at once: each
// reads it again when it has changed.
//
// What is wrong with the file is told to operators. Where a client waits for the answer it goes
// into the log, and the error says nothing of the file.
#pragma once

#include "store/keys/key_service.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <tuple>
#include <vector>

namespace vitrine::store {

class Keyring final : public KeyService {
public:
  /// `file` is made with the first key; `clock` must outlive it. Error: `unavailable` with the
  /// reason when there is a file that is no keyring, or that others than its owner may read.
  static Result<std::unique_ptr<Keyring>> open(std::filesystem::path file, Clock const& clock);

  Result<KeyState> state(std::string_view key) override;
  Result<std::string> default_key(ProjectId const& project) override;
  Result<KeyState> default_key_state(ProjectId const& project) override;
  Result<WrappedKey> wrap(std::string_view key, Secret const& data_key,
                          std::string_view bound_to) override;
  Result<Secret> unwrap(WrappedKey const& wrapped, std::string_view bound_to) override;
  Result<std::vector<Key>> list() override;
  Result<Key> create(std::string_view name) override;
  Result<> set_enabled(std::string_view key, bool enabled) override;

private:
  struct Entry {
    Key key;
    Secret secret;
  };
  using Entries = std::vector<Entry>;
  /// Tells whether the file is another one than was read: inode, size, time of change.
  using Version = std::tuple<std::uint64_t, std::int64_t, std::int64_t>;
  class Lock;

  Keyring(std::filesystem::path file, Clock const& clock) : file_(std::move(file)), clock_(clock) {}

  Result<> refresh();
  Result<> refresh_for_client();
  Result<std::string> find_default_key(std::string const& name);
  Result<Entries> read(int descriptor, std::size_t size_bytes) const;
  Result<> write() const;
  Result<Entry const*> usable(std::string_view key);
  Entry* find(std::string_view key);
  [[nodiscard]] Key const* named(std::string_view name) const;
  Result<Key> add(std::string_view name);

  std::filesystem::path const file_;
  Clock const& clock_;
  std::mutex mutex_; ///< guards what follows
  Entries entries_;
  Version version_{};
};

} // namespace vitrine::store
