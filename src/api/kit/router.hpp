// From method and path to an endpoint. Pure; built once, then read by all threads.
#pragma once

#include "api/kit/endpoint.hpp"

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::api {

/// Versions of the Image API v2, newest first; the first is CURRENT. Without image cache and with
/// one store there is no 2.18, 2.16, 2.14 nor 2.13 to 2.10 and 2.8.
inline constexpr std::array<std::string_view, 11> kOfferedVersions = {
    "v2.17", "v2.15", "v2.9", "v2.7", "v2.6", "v2.5", "v2.4", "v2.3", "v2.2", "v2.1", "v2.0"};

/// Where a path leads.
struct Match {
  std::size_t endpoint{0};                                    ///< index into the list of endpoints
  std::vector<std::pair<std::string_view, std::string>> path; ///< parameters, decoded
};

/// Why there is no endpoint.
struct Miss {
  enum class Why : std::uint8_t {
    unknown_version, ///< the first segment names no API: answered with the list of versions
    no_such_path,
    wrong_method,
    malformed, ///< a bad escape or text that is not UTF-8 in the path
  };
  Why why;
  Family const* family; ///< in whose form the answer is given
  std::string allow;    ///< for wrong_method: "GET, POST"
};

class Router {
public:
  /// `endpoints` must outlive the router. Two endpoints of one verb and template are a bug.
  explicit Router(std::vector<Endpoint> const& endpoints);
  ~Router();

  /// `path` as sent, without the query. `method` is compared exactly.
  [[nodiscard]] std::variant<Match, Miss> find(std::string_view method,
                                               std::string_view path) const;

private:
  struct Route;
  void add(std::string_view path, std::size_t endpoint, Spec const& spec);

  std::vector<Route> routes_; ///< most literal first
};

} // namespace vitrine::api
