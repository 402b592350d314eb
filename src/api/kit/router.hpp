// From method and path to an endpoint. Pure; built once, then read by all threads.
#pragma once

#include "api/kit/endpoint.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::api {

/// Versions of the Image API v2 that are offered, newest first; the first is CURRENT. Without image
/// cache there is no 2.18, 2.16 nor 2.14, with one store no 2.13 to 2.10 nor 2.8.
std::span<std::string_view const> offered_versions(bool several_stores);

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
  /// `/VERSION/…` is `/v2/…` for each of the versions.
  explicit Router(std::vector<Endpoint> const& endpoints,
                  std::span<std::string_view const> versions = offered_versions(false));
  ~Router();

  /// `path` as sent, without the query. `method` is compared exactly.
  [[nodiscard]] std::variant<Match, Miss> find(std::string_view method,
                                               std::string_view path) const;

private:
  struct Route;
  void add(std::string_view path, std::size_t endpoint, Spec const& spec);

  std::span<std::string_view const> versions_;
  std::vector<Route> routes_; ///< most literal first
};

} // namespace vitrine::api
