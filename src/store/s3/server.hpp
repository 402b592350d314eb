// One object store: where its requests go and how they are signed.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/client/client.hpp"
#include "store/s3/options.hpp"
#include "store/s3/signature.hpp"

#include <functional>
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
  std::string_view body{};        ///< must outlive the call
  std::string_view body_sha256{}; ///< lower-case hex; empty: computed here, for each attempt
  /// Takes the body of a 2xx answer, from its start again with each attempt.
  std::function<Result<>(net::client::Response const&, std::span<std::byte const>)> download{};
  std::function<Result<>()> begin{}; ///< asked before each attempt; its error is that of the call
  std::string_view proof{}; ///< element that the body of a success has; a 2xx without it is a 500
  int attempts{3};
  bool may_be_refused{false}; ///< by a store that does not know it: 400, 405 and 501 are answers
  bool slow{false};           ///< the store may work on it for minutes before it answers
};

/// What requests are about.
struct Place {
  std::string bucket;
  std::string prefix{}; ///< of all keys; may be empty
};

/// Thread-safe; its connections are shared by all who ask.
class Server {
public:
  /// `clock` must outlive it.
  Server(ServerOptions options, Clock const& clock);

  /// Asks once; any status is an answer. Error: `unavailable` when there is none; those of
  /// `download`.
  Result<net::client::Response> send(Ask const& ask, Place const& place,
                                     Credentials const& credentials);

  [[nodiscard]] ServerOptions const& options() const noexcept { return options_; }

private:
  [[nodiscard]] std::vector<net::Header> signed_headers(Ask const& ask, std::string const& host,
                                                        std::string const& path,
                                                        Credentials const& credentials) const;

  ServerOptions const options_;
  Clock const& clock_;
  net::client::Client client_;
  net::client::Client patient_; ///< for what is slow
};

} // namespace vitrine::store::s3
