#include "store/s3/server.hpp"

#include "base/hash.hpp"

#include <fmt/format.h>
#include <utility>

namespace vitrine::store::s3 {
namespace {

constexpr std::size_t kListBytesMax = 8U << 20U; // a page of 1000 entries with long keys
constexpr std::chrono::seconds kPatience{300};

struct Address {
  std::string scheme; ///< with "://"
  std::string host;   ///< with the port, if there is one
  std::string path;   ///< begins with a slash, or is empty
};

Address parts_of(std::string_view endpoint) {
  auto const host = endpoint.find("://") + 3;
  auto const path = std::min(endpoint.find('/', host), endpoint.size());
  return {std::string(endpoint.substr(0, host)), std::string(endpoint.substr(host, path - host)),
          std::string(endpoint.substr(path))};
}

// As the HTTP client writes it: the port only where it is not that of the scheme.
std::string host_header(Address const& address) {
  std::string_view host = address.host;
  std::string_view const usual = address.scheme == "https://" ? ":443" : ":80";
  if (host.ends_with(usual)) host.remove_suffix(usual.size());
  return std::string(host);
}

} // namespace

Server::Server(ServerOptions options, Clock const& clock)
    : options_(std::move(options)), clock_(clock), client_({.ca_file = options_.ca_file,
                                                            .connect_timeout = options_.timeout,
                                                            .idle_timeout = options_.timeout}),
      patient_({.ca_file = options_.ca_file,
                .connect_timeout = options_.timeout,
                .idle_timeout = kPatience}) {}

std::vector<net::Header> Server::signed_headers(Ask const& ask, std::string const& host,
                                                std::string const& path,
                                                Credentials const& credentials) const {
  auto const now = clock_.now();
  ToSign request{.method = std::string(ask.method),
                 .path = path,
                 .query = ask.query,
                 .headers = ask.headers,
                 .payload_sha256 =
                     ask.body_sha256.empty() ? sha256_hex(ask.body) : std::string(ask.body_sha256)};
  request.headers.push_back({"x-amz-content-sha256", request.payload_sha256});
  request.headers.push_back({"x-amz-date", format_date(now)});
  auto sent = request.headers;
  request.headers.push_back({"host", host}); // sent by the client itself
  sent.push_back({"Authorization", authorization(request, credentials, options_.region, now)});
  return sent;
}

Result<net::client::Response> Server::send(Ask const& ask, Place const& place,
                                           Credentials const& credentials) {
  auto address = parts_of(options_.endpoint);
  auto path = address.path;
  if (options_.bucket_in_host) {
    address.host = place.bucket + "." + address.host;
    path += "/";
  } else {
    path += encode_path("/" + place.bucket);
    if (!ask.key.empty()) path += "/";
  }
  if (!ask.key.empty()) path += encode_path(place.prefix + std::string(ask.key));
  auto const query = encode_query(ask.query);
  net::client::Request const request{
      .method = std::string(ask.method),
      .url = address.scheme + address.host + path + (query.empty() ? "" : "?" + query),
      .headers = signed_headers(ask, host_header(address), path, credentials),
      .body = ask.body,
      .download = ask.download,
      .response_bytes_max = kListBytesMax};
  return (ask.slow ? patient_ : client_).send(request);
}

} // namespace vitrine::store::s3
