#include "api/kit/router.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace vitrine::api {

// All verbs of one template, in the order they were declared, which is the order of `Allow`.
struct Router::Route {
  std::vector<std::string_view> segments; ///< "{name}" is a parameter
  std::vector<std::pair<Verb, std::size_t>> verbs;
  Family const* family;
};

namespace {

// Longest template has 7 segments; a longer path matches nothing.
constexpr std::size_t kSegmentsMax = 8;

struct Path {
  std::array<std::string_view, kSegmentsMax> segments;
  std::array<bool, kSegmentsMax> malformed{}; ///< left as sent: it holds a bad escape, or no text
  std::size_t count{0};
  bool too_long{false};
  bool trailing_slash{false};
};

constexpr bool is_parameter(std::string_view segment) { return segment.starts_with('{'); }

// Repeated slashes count as one: clients join a base and a path as text (contract: ims-api 1).
Path split_path(std::string_view text) {
  Path path;
  path.trailing_slash = text.size() > 1 && text.ends_with('/');
  while (!text.empty()) {
    auto const end = std::min(text.find('/'), text.size());
    if (end > 0) {
      if (path.count == kSegmentsMax) {
        path.too_long = true;
        return path;
      }
      path.segments[path.count++] = text.substr(0, end);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return path;
}

// Decodes each segment by itself, so that `%2F` separates none (contract: ims-api 1). `buffer`
// holds what the segments then refer to.
void decode(Path& path, std::string& buffer) {
  for (std::size_t i = 0; i < path.count; ++i) {
    auto& segment = path.segments[i];
    path.malformed[i] = !text::is_utf8(segment);
    if (!segment.contains('%')) continue;
    auto const decoded = text::percent_decode(segment, false);
    path.malformed[i] = !decoded || !text::is_utf8(*decoded) || decoded->contains('\0');
    if (path.malformed[i]) continue;
    buffer += *decoded;
    segment = std::string_view(buffer).substr(buffer.size() - decoded->size());
  }
}

// `/v2.9/…` is `/v2/…` (contract: glance-v2 1.1), but below `/v2.1/cloudimages` the extension has
// paths of its own, each an alias of another (contract: ims-api 1, D34).
bool is_v2(Path const& path, std::span<std::string_view const> versions) {
  auto const first = path.segments[0];
  if (path.count > 1 && path.segments[1] == "cloudimages") return false;
  return std::ranges::find(versions, first) != versions.end();
}

bool is_known_api(std::string_view segment) {
  return segment == "v1" || segment == "v1.1" || segment == "v2" || segment == "v2.1" ||
         segment == "v3" || segment == "healthcheck" || segment == "metrics" ||
         segment == "versions";
}

// Below /v2 the extension has /v2/cloudimages… and /v2/{project_id}/images/… (contract: ims-api 1);
// whatever else is there, or is not, belongs to the native API.
bool is_native_v2(Path const& path) {
  static constexpr std::array<std::string_view, 7> kNotProjects = {
      "images", "schemas", "info", "metadefs", "tasks", "stores", "cache"};
  auto const& second = path.segments[1];
  if (path.count >= 2 && second == "cloudimages") return false;
  return path.count < 3 || path.segments[2] != "images" ||
         std::ranges::find(kNotProjects, second) != kNotProjects.end();
}

Family const* family_of(Path const& path) {
  if (path.count == 0) return &image_family;
  auto const first = path.segments[0];
  if (first == "v3") return &identity_family;
  if (first == "healthcheck" || first == "metrics") return &ops_family;
  bool const native = first == "v2" ? is_native_v2(path) : first == "versions";
  return native ? &image_family : &ims_family;
}

} // namespace

std::span<std::string_view const> offered_versions(bool several_stores) {
  static constexpr std::array<std::string_view, 11> kOfOne = {
      "v2.17", "v2.15", "v2.9", "v2.7", "v2.6", "v2.5", "v2.4", "v2.3", "v2.2", "v2.1", "v2.0"};
  static constexpr std::array<std::string_view, 16> kOfSeveral = {
      "v2.17", "v2.15", "v2.13", "v2.12", "v2.11", "v2.10", "v2.9", "v2.8",
      "v2.7",  "v2.6",  "v2.5",  "v2.4",  "v2.3",  "v2.2",  "v2.1", "v2.0"};
  if (several_stores) return kOfSeveral;
  return kOfOne;
}

Router::Router(std::vector<Endpoint> const& endpoints, std::span<std::string_view const> versions)
    : versions_(versions) {
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    for (auto const path : endpoints[i].paths())
      add(path, i, endpoints[i].spec);
  }
  // A literal segment wins over a parameter, from the left (contract: ims-api 1, routing traps).
  std::ranges::sort(routes_, [](Route const& a, Route const& b) {
    return std::ranges::lexicographical_compare(a.segments, b.segments, {}, is_parameter,
                                                is_parameter);
  });
}

void Router::add(std::string_view text, std::size_t endpoint, Spec const& spec) {
  auto const path = split_path(text);
  std::vector<std::string_view> segments(
      path.segments.begin(), path.segments.begin() + static_cast<std::ptrdiff_t>(path.count));
  auto at = std::ranges::find(routes_, segments, &Route::segments);
  if (at == routes_.end()) {
    routes_.push_back({std::move(segments), {}, spec.family});
    at = routes_.end() - 1;
  }
  CHECK(std::ranges::none_of(at->verbs, [&](auto const& v) { return v.first == spec.verb; }));
  at->verbs.emplace_back(spec.verb, endpoint);
}

Router::~Router() = default;

std::variant<Match, Miss> Router::find(std::string_view method, std::string_view text) const {
  auto path = split_path(text);
  std::string decoded;
  if (text.contains('%')) decoded.reserve(text.size()); // what refers to it must not move
  decode(path, decoded);
  if (path.count > 0 && is_v2(path, versions_)) path.segments[0] = "v2";
  auto const* family = family_of(path);
  if (path.too_long) return Miss{Miss::Why::no_such_path, family, {}};

  auto const fits = [&](Route const& route) {
    // `/v2/images/…` names no project (contract: ims-api 1, routing traps).
    if (family == &image_family && route.family == &ims_family) return false;
    if (route.segments.size() != path.count) return false;
    for (std::size_t i = 0; i < path.count; ++i) {
      if (!is_parameter(route.segments[i]) && route.segments[i] != path.segments[i]) return false;
    }
    return true;
  };
  auto const first = std::ranges::find_if(routes_, fits);
  bool const slash_refused = path.trailing_slash && !family->trailing_slash;
  if (first == routes_.end() || slash_refused) {
    bool const unknown = path.count == 0 || !is_known_api(path.segments[0]) ||
                         (path.count == 1 && path.segments[0].starts_with("v1"));
    return Miss{unknown ? Miss::Why::unknown_version : Miss::Why::no_such_path, family, {}};
  }

  auto const verb_in = [&](Route const& route) {
    auto const wanted = method == "HEAD" && route.family->head_is_get ? "GET" : method;
    return std::ranges::find_if(
        route.verbs, [&](auto const& candidate) { return name_of(candidate.first) == wanted; });
  };
  // A parameter may read as the literal segment of another template, which has other verbs: a tag
  // with the key `action`.
  auto const at = std::find_if(first, routes_.end(), [&](Route const& route) {
    return fits(route) && verb_in(route) != route.verbs.end();
  });
  if (at == routes_.end()) {
    std::string allow;
    for (auto route = first; route != routes_.end(); ++route) {
      if (!fits(*route)) continue;
      for (auto const& [allowed, index] : route->verbs) {
        if (allow.find(name_of(allowed)) != std::string::npos) continue;
        if (!allow.empty()) allow += ", ";
        allow += name_of(allowed);
      }
    }
    return Miss{Miss::Why::wrong_method, first->family, std::move(allow)};
  }

  Match match{verb_in(*at)->second, {}};
  for (std::size_t i = 0; i < path.count; ++i) {
    if (!is_parameter(at->segments[i])) continue;
    if (path.malformed[i]) return Miss{Miss::Why::malformed, at->family, {}};
    auto const name = at->segments[i].substr(1, at->segments[i].size() - 2);
    match.path.emplace_back(name, path.segments[i]);
  }
  return match;
}

} // namespace vitrine::api
