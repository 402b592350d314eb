// Master keys that a Barbican keeps. It wraps nothing: the service gets the bytes of a master key
// and wraps the data keys of images itself.
//
// A key is a secret of 32 bytes that the service's account may read, by its id. What `create` makes
// belongs to the project of that account; others are secrets of users whose ACL names the account.
// A key is disabled by an entry in the user metadata of its secret.
#pragma once

#include "base/clock.hpp"
#include "base/json.hpp"
#include "model/service_tokens.hpp"
#include "net/client/client.hpp"
#include "store/keys/key_service.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vitrine::store {

struct BarbicanOptions {
  std::string url{}; ///< without /v1 and without a slash at the end
  std::string ca_file{};
  std::chrono::seconds timeout{5}; ///< for one request
  std::chrono::seconds cache{10};  ///< how long a key that Barbican gave is believed
};

/// A key that Barbican gave is believed for `cache`, so that not every range of a download
/// asks for it. One that it does not have is asked for each time.
class Barbican final : public KeyService {
public:
  /// Asks nothing yet. `clock` must outlive it.
  Barbican(BarbicanOptions options, std::unique_ptr<model::ServiceTokens> tokens,
           Clock const& clock);

  Result<KeyState> state(std::string_view key) override;
  Result<std::string> default_key(ProjectId const& project) override;
  Result<KeyState> default_key_state(ProjectId const& project) override;
  Result<WrappedKey> wrap(std::string_view key, Secret const& data_key,
                          std::string_view bound_to) override;
  Result<Secret> unwrap(WrappedKey const& wrapped, std::string_view bound_to) override;
  /// Those of the service's own project.
  Result<std::vector<Key>> list() override;
  Result<Key> create(std::string_view name) override;
  /// Error, besides those of the port: `forbidden` for a key of somebody else.
  Result<> set_enabled(std::string_view key, bool enabled) override;

private:
  struct Held {
    KeyState state;
    Secret secret;
    std::chrono::steady_clock::time_point until; ///< whatever becomes of the time of day
  };
  using HeldKey = std::shared_ptr<Held const>;
  using Request = net::client::Request;
  using Response = net::client::Response;

  Result<HeldKey> look(std::string_view key);
  Result<HeldKey> fetch(std::string const& key);
  Result<HeldKey> usable(std::string_view key);
  Result<bool> is_disabled(std::string const& key);
  Result<std::vector<Key>> find(std::string_view question);
  Result<Key> add(std::string_view name);
  Result<Response> ask(Request request);
  Result<Response> send(Request& request, std::string const& token);

  BarbicanOptions const options_;
  std::unique_ptr<model::ServiceTokens> const tokens_;
  Clock const& clock_;
  net::client::Client client_;
  std::mutex mutex_; ///< guards what follows; never held over a request
  std::unordered_map<std::string, HeldKey> held_;
};

} // namespace vitrine::store
