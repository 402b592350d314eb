#include "identity/builtin/clouds.hpp"

#include "base/json.hpp"
#include "base/text.hpp"
#include "base/yaml.hpp"

#include <algorithm>
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
    "# vitrine adds its accounts here and keeps their auth_url and region_name up to date.\n"
    "# Use: export OS_CLIENT_CONFIG_FILE=<this file>; openstack --os-cloud admin image list\n";

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

// What `append` can write: keys are texts.
bool is_writable(YAML::Node const& node) {
  return std::all_of(node.begin(), node.end(), [&](auto const& item) {
    if (node.IsSequence()) return is_writable(item);
    return item.first.IsScalar() && is_writable(item.second);
  });
}

bool is_map_or_nothing(YAML::Node const& node) {
  return !node.IsDefined() || node.IsNull() || node.IsMap();
}

bool has_form_of_clouds(YAML::Node const& root) {
  if (!is_map_or_nothing(root) || !is_writable(root)) return false;
  auto const clouds = root["clouds"];
  if (!is_map_or_nothing(clouds)) return false;
  return std::all_of(clouds.begin(), clouds.end(), [](auto const& cloud) {
    return cloud.second.IsMap() && is_map_or_nothing(cloud.second["auth"]);
  });
}

Error no_clouds(std::string const& path, std::string_view why) {
  return error(Fault::invalid_value, fmt::format("{} cannot be read as clouds: {}", path, why));
}

Result<YAML::Node> load(std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file && errno == ENOENT) return YAML::Node();
  std::string text(yaml::kBytesMax + 1, '\0');
  if (!file || (file.read(text.data(), std::ssize(text)), file.bad())) return failed("read", path);
  text.resize(static_cast<std::size_t>(file.gcount()));
  auto root = yaml::parse(text);
  if (!root) {
    return no_clouds(path, fmt::format("line {}: {}", root.error().line, root.error().reason));
  }
  if (!text::is_utf8(text)) return no_clouds(path, "it is no UTF-8 text");
  if (!has_form_of_clouds(*root)) return no_clouds(path, "it is other YAML");
  return *root;
}

std::string text_in_auth(YAML::Node const& cloud, std::string const& key) {
  YAML::Node const auth = cloud["auth"];
  if (!auth.IsDefined() || !auth.IsMap()) return {};
  YAML::Node const text = auth[key];
  return text.IsDefined() && text.IsScalar() ? text.Scalar() : std::string();
}

// A JSON string is a YAML string.
std::string in_quotes(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

// Plain text stays plain: in quotes a number or a truth would become a text.
std::string on_a_line(YAML::Node const& node) {
  if (node.IsMap()) return "{}";
  if (node.IsSequence()) return "[]";
  if (!node.IsScalar()) return "null";
  bool const plain = (node.Tag() == "?" || node.Tag().empty()) && // the keys of `put` have no tag
                     node.Scalar().find('\n') == std::string::npos;
  return plain ? node.Scalar() : in_quotes(node.Scalar());
}

void append(std::string& out, YAML::Node const& parent, std::size_t indent) {
  for (auto const& item : parent) {
    auto const value = parent.IsMap() ? item.second : static_cast<YAML::Node const&>(item);
    out.append(indent, ' ') += parent.IsMap() ? on_a_line(item.first) + ":" : "-";
    if (value.size() == 0) {
      out += " " + on_a_line(value) + "\n";
      continue;
    }
    out += "\n";
    append(out, value, indent + 2);
  }
}

// True when that was not the text there already.
bool set(YAML::Node map, std::string const& key, std::string const& text) {
  if (YAML::Node const there = map[key]; there.IsDefined() && there.IsScalar()) {
    if (there.Scalar() == text) return false;
  }
  YAML::Node quoted(text);
  quoted.SetTag("!");
  map.remove(key); // where others share the text by an alias, it stays theirs
  map[key] = quoted;
  return true;
}

// True when something had to be changed.
bool put(YAML::Node clouds, Cloud const& cloud, std::string const& auth_url,
         std::string const& region) {
  bool const is_new = !clouds[cloud.user].IsDefined();
  auto entry = clouds[cloud.user];
  auto auth = entry["auth"];
  bool changed = set(auth, "auth_url", auth_url);
  changed |= set(auth, "username", cloud.user);
  changed |= set(auth, "password", cloud.password);
  if (!cloud.project.empty()) changed |= set(auth, "project_name", cloud.project);
  if (is_new) {
    set(auth, "user_domain_name", "Default");
    set(auth, "project_domain_name", "Default");
  }
  changed |= set(entry, "region_name", region);
  if (is_new) set(entry, "identity_api_version", "3");
  return changed;
}

// True when something had to be changed. `path` is for the error.
Result<bool> put_all(YAML::Node& root, std::string const& path, std::vector<Cloud> const& clouds,
                     std::string const& auth_url, std::string const& region) {
  bool changed = false;
  for (auto const& cloud : clouds) {
    YAML::Node const there = root["clouds"][cloud.user];
    if (there.IsDefined() && text_in_auth(there, "username") != cloud.user) {
      return no_clouds(path, fmt::format("the cloud {} is of another user", cloud.user));
    }
    changed |= put(root["clouds"], cloud, auth_url, region);
  }
  return changed;
}

std::string text_of(YAML::Node const& root) {
  std::string text(kHead);
  append(text, root, 0);
  return text;
}

std::string draft_of(std::string const& path) { return path + ".draft"; }

Result<> replace(std::string const& path, std::string_view text) {
  auto const fresh = path + ".new";
  ::unlink(fresh.c_str());
  int const descriptor =
      ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (descriptor < 0) return failed("write", fresh);
  auto const written = write_all(descriptor, text, fresh);
  ::close(descriptor);
  TRY(written);
  if (::rename(fresh.c_str(), path.c_str()) != 0) return failed("replace", path);
  return {};
}

} // namespace

Result<std::vector<Cloud>> read_clouds(std::string const& path) {
  YAML::Node const root = TRY(load(path));
  std::vector<Cloud> out;
  for (auto const& item : root["clouds"]) {
    Cloud cloud{.user = item.first.Scalar(),
                .password = text_in_auth(item.second, "password"),
                .project = text_in_auth(item.second, "project_name")};
    if (text_in_auth(item.second, "username") != cloud.user || cloud.password.empty()) continue;
    out.push_back(std::move(cloud));
  }
  return out;
}

Result<> write_clouds(std::string const& path, std::vector<Cloud> const& clouds,
                      std::string const& auth_url, std::string const& region) {
  if (clouds.empty()) return {};
  auto root = TRY(load(path));
  if (!TRY(put_all(root, path, clouds, auth_url, region))) return {};
  return replace(path, text_of(root));
}

Result<> draft_clouds(std::string const& path, std::vector<Cloud> const& clouds) {
  auto root = TRY(load(path));
  TRY(put_all(root, path, clouds, {}, {}));
  YAML::Node alone;
  TRY(put_all(alone, path, clouds, {}, {}));
  return replace(draft_of(path), text_of(alone));
}

Result<std::vector<Cloud>> read_draft(std::string const& path) {
  return read_clouds(draft_of(path));
}

Result<> drop_draft(std::string const& path) {
  auto const draft = draft_of(path);
  if (::unlink(draft.c_str()) != 0 && errno != ENOENT) return failed("remove", draft);
  return {};
}

} // namespace vitrine::identity::builtin
