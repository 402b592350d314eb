// Requests to an object store: signed, bounded in time, sent again while that may help.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/client/client.hpp"
#include "store/blobs/s3/account.hpp"
#include "store/blobs/s3/options.hpp"
#include "store/blobs/s3/signature.hpp"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::store::s3 {

/// One request. All of them may be sent twice with the effect of once.
struct Ask {
  std::string_view method{"GET"};
  std::string_view key{}; ///< of an object, without the prefix; empty: the bucket
  Query query{};
  std::vector<net::Header> headers{};
  std::string_view body{}; ///< must outlive the call
  /// Takes the body of a 2xx answer, from its start again with each attempt.
  std::function<Result<>(net::client::Response const&, std::span<std::byte const>)> download{};
  std::function<void()> begin{}; ///< called before each attempt
  int attempts{3};
  bool slow{false}; ///< the store may work on it for minutes before it answers
};

/// Thread-safe.
class Calls {
public:
  /// Error: `unavailable` when the keys cannot be read.
  static Result<std::unique_ptr<Calls>> open(Options options, Clock const& clock);

  /// The answer, of status 2xx. Errors: `not_found` on 404 with the store's code as detail,
  /// `store_full`, `unavailable`; why is logged, callers learn what is the case for them.
  Result<net::client::Response> send(Ask const& ask);

  [[nodiscard]] Options const& options() const noexcept { return options_; }

private:
  Calls(Options options, Clock const& clock);
  Result<net::client::Response> attempt(Ask const& ask, Credentials const& credentials);
  [[nodiscard]] std::vector<net::Header> signed_headers(Ask const& ask, std::string const& path,
                                                        Credentials const& credentials) const;

  Options const options_;
  Clock const& clock_;
  std::string const host_;
  std::unique_ptr<Account> account_;
  net::client::Client client_;
  net::client::Client patient_; ///< for what is slow
};

} // namespace vitrine::store::s3
