// AWS Signature Version 4: proves by a keyed hash over method, path, query, headers and body that
// whoever sends a request holds the secret key, which never travels.
#pragma once

#include "base/clock.hpp"
#include "net/message.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vitrine::store::s3 {

struct Credentials {
  std::string access_key;
  std::string secret_key;
  friend bool operator==(Credentials const&, Credentials const&) = default;
};

using Query = std::vector<std::pair<std::string, std::string>>;

/// A request as the server sees it.
struct ToSign {
  std::string method;
  std::string path;                 ///< encoded, as sent
  Query query;                      ///< not encoded, in any order
  std::vector<net::Header> headers; ///< all that are signed; `host` and `x-amz-date` among them
  std::string payload_sha256;       ///< lower-case hex
};

/// `YYYYMMDDTHHMMSSZ`, the form of `x-amz-date`.
std::string format_date(Time time);
/// A path with all encoded but the unreserved characters and slashes.
std::string encode_path(std::string_view path);
/// A query encoded and in order, as it is signed and may be sent.
std::string encode_query(Query query);

/// The value of the header Authorization. `time` is that of `x-amz-date`.
std::string authorization(ToSign const& request, Credentials const& credentials,
                          std::string_view region, Time time);

} // namespace vitrine::store::s3
