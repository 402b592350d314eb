// Requests to one bucket: signed, bounded in time, sent again while that may help.
#pragma once

#include "base/result.hpp"
#include "net/client/client.hpp"
#include "store/s3/account.hpp"
#include "store/s3/server.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace vitrine::store::s3 {

/// What it means to those who asked that a request failed for good: with a status that is none of
/// success, or without an answer.
using Meaning = Error (*)(Ask const& ask, Result<net::client::Response> const& answer);

/// Thread-safe. A copy asks the same.
class Calls {
public:
  /// `server` must outlive it.
  Calls(Server& server, Place place, std::shared_ptr<Account> account, Meaning meaning)
      : server_(&server), place_(std::move(place)), account_(std::move(account)),
        meaning_(meaning) {}

  /// The answer, of status 2xx, or of one that `may_be_refused` allows. Errors: what the meaning
  /// makes of the others; that of `begin`.
  Result<net::client::Response> send(Ask const& ask) const;

  [[nodiscard]] ServerOptions const& options() const noexcept { return server_->options(); }
  [[nodiscard]] std::string const& prefix() const noexcept { return place_.prefix; }

private:
  Server* server_;
  Place place_;
  std::shared_ptr<Account> account_;
  Meaning meaning_;
};

/// Tells of each upload in parts of a key that begins with `key` and is not at its end, as the XML
/// that the store answers.
Result<> list_uploads(Calls const& calls, std::string const& key,
                      std::function<void(std::string_view upload)> const& each);

/// How long to wait before the next attempt, given the last pause.
std::chrono::milliseconds longer(std::chrono::milliseconds pause);

} // namespace vitrine::store::s3
