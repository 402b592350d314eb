// The service's own token: got when first needed, renewed before it ends and when it is refused.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "identity/keystone/options.hpp"
#include "model/service_tokens.hpp"
#include "net/client/client.hpp"

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace vitrine::identity::keystone {

/// Thread-safe. One login runs at a time; those who wait for it share its outcome. A login that
/// Keystone refused is not tried again for 5 s: many in a row may lock the account.
class ServiceLogin final : public model::ServiceTokens {
public:
  /// All must outlive it.
  ServiceLogin(Options const& options, Clock const& clock, net::client::Client& client)
      : options_(options), clock_(clock), client_(client) {}

  /// Why it failed is in the log.
  Result<std::string> token() override;
  /// The next call of `token` logs in again, unless another thread has already.
  void refused(std::string_view token) override;

private:
  struct Held {
    std::string token;
    Time renew_at;
  };
  Result<Held> log_in();
  [[nodiscard]] bool was_just_refused() const;
  [[nodiscard]] Result<std::string> request_body() const;

  Options const& options_;
  Clock const& clock_;
  net::client::Client& client_;
  std::mutex mutex_; ///< held for as long as a login runs
  std::optional<Held> held_;
  std::chrono::steady_clock::time_point failed_at_; ///< of the last login
  std::optional<Time> refused_at_;                  ///< the last login
};

} // namespace vitrine::identity::keystone
