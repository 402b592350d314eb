#include "identity/builtin/clouds.hpp"

#include "base/json.hpp"
#include "base/text.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <string_view>
#include <unistd.h>

namespace vitrine::identity::builtin {
namespace {

constexpr std::string_view kHead =
    "# Written by vitrine at each start; keep clouds of your own in another file.\n"
    "# Use: export OS_CLIENT_CONFIG_FILE=<this file>; openstack --os-cloud admin image list\n"
    "clouds:\n";

// A JSON string is a YAML string.
std::string in_quotes(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

// The text of `"…"` as `quoted` writes it; nothing for anything else.
std::optional<std::string> unquoted(std::string_view text) {
  auto const value = json::parse(text);
  if (!value || !value->is_string()) return std::nullopt;
  return std::string(json::view(value->get_string()));
}

Error failed(std::string_view what, std::string const& path) {
  return error(Fault::unavailable, fmt::format("cannot {} {}: {}", what, path, strerror(errno)));
}

Result<> write_all(int descriptor, std::string_view text, std::string const& path) {
  while (!text.empty()) {
    auto const written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return failed("write", path);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(descriptor) != 0) return failed("write", path);
  return {};
}

std::string render(std::vector<Cloud> const& clouds, std::string const& auth_url,
                   std::string const& region) {
  std::string out(kHead);
  for (auto const& cloud : clouds) {
    out += fmt::format("  {}:\n"
                       "    auth:\n"
                       "      auth_url: {}\n"
                       "      username: {}\n"
                       "      password: {}\n"
                       "      project_name: {}\n"
                       "      user_domain_name: \"Default\"\n"
                       "      project_domain_name: \"Default\"\n"
                       "    region_name: {}\n"
                       "    identity_api_version: \"3\"\n",
                       cloud.user, in_quotes(auth_url), in_quotes(cloud.user),
                       in_quotes(cloud.password), in_quotes(cloud.project), in_quotes(region));
  }
  return out;
}

} // namespace

Result<std::vector<Cloud>> read_clouds(std::string const& path) {
  std::vector<Cloud> clouds;
  std::ifstream file(path);
  if (!file) {
    if (errno == ENOENT) return clouds;
    return failed("read", path);
  }
  for (std::string line; std::getline(file, line);) {
    auto const text = text::trim(line);
    auto const colon = text.find(':');
    if (text.starts_with('#') || colon == std::string_view::npos) continue;
    auto const name = text.substr(0, colon);
    auto const value = unquoted(text::trim(text.substr(colon + 1)));
    if (line.starts_with("  ") && !line.starts_with("   ")) {
      clouds.push_back({.user = std::string(name), .password = {}, .project = {}});
    } else if (!clouds.empty() && value && name == "password") {
      clouds.back().password = *value;
    } else if (!clouds.empty() && value && name == "project_name") {
      clouds.back().project = *value;
    }
  }
  std::erase_if(clouds, [](Cloud const& cloud) { return cloud.password.empty(); });
  return clouds;
}

Result<> write_clouds(std::string const& path, std::vector<Cloud> const& clouds,
                      std::string const& auth_url, std::string const& region) {
  auto const fresh = path + ".new";
  ::unlink(fresh.c_str());
  int const descriptor =
      ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (descriptor < 0) return failed("write", fresh);
  auto const written = write_all(descriptor, render(clouds, auth_url, region), fresh);
  ::close(descriptor);
  TRY(written);
  if (::rename(fresh.c_str(), path.c_str()) != 0) return failed("replace", path);
  return {};
}

} // namespace vitrine::identity::builtin
