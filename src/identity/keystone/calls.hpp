// Asks Keystone as the service; for the files of this folder only.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "identity/keystone/options.hpp"
#include "identity/keystone/service_login.hpp"
#include "net/client/client.hpp"
#include "ops/metrics.hpp"

#include <string>
#include <string_view>

namespace vitrine::identity::keystone {

/// Thread-safe. Each call ends within twice the timeout, or thrice with a login.
class Calls {
public:
  /// All must outlive it.
  Calls(Options const& options, Clock const& clock, ops::Metrics& metrics);

  /// GET of a path below the auth URL, about `subject` when it is not empty (X-Subject-Token). The
  /// answer is 200, or 404 (also for 400: Keystone reads the question differently than we do).
  /// Error: `identity_unavailable` for anything else, also a refusal that is not in Keystone's
  /// form; why is in the log, without path or token.
  Result<net::client::Response> get(std::string_view path, std::string_view subject = {});
  /// POST of a JSON text. The answer is 200, or 401 when Keystone refuses what the text shows.
  /// Error: as above.
  Result<net::client::Response> post(std::string_view path, std::string_view body);

  /// The token that the service asks with. Error: `identity_unavailable`.
  Result<std::string> token() { return login_.token(); }

private:
  Result<net::client::Response> ask(net::client::Request request);
  Result<net::client::Response> send(net::client::Request& request, std::string const& token);

  Options const& options_;
  ops::Metrics& metrics_;
  net::client::Client client_;
  ServiceLogin login_;
};

} // namespace vitrine::identity::keystone
