#include "service/os_versions/os_versions.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fstream>
#include <iterator>

namespace vitrine::service {

/// os_versions.tsv, as the build embeds it.
std::string_view embedded_os_versions();

namespace {

constexpr std::string_view kOther = "Other";
constexpr std::array<std::string_view, 3> kTypes = {"Linux", "Windows", kOther};

// In lower case, with single spaces, and one spelling for Red Hat.
std::string compared(std::string_view text) {
  std::string out;
  for (char const c : text::to_lower(text)) {
    bool const space = c == ' ' || c == '\t';
    if (!space) out += c;
    if (space && !out.empty() && out.back() != ' ') out += ' ';
  }
  if (out.ends_with(' ')) out.pop_back();
  constexpr std::string_view joined = "redhat";
  for (auto at = out.find(joined); at != std::string::npos; at = out.find(joined, at))
    out.replace(at, joined.size(), "red hat");
  return out;
}

bool fits_length(std::string_view text) {
  return !text.empty() && text::length_utf8(text) <= limits::os_version_characters;
}

// Columns by the names of the first line; `source` and others are not ours.
class Columns {
public:
  static Result<Columns> of(std::string_view head) {
    Columns columns;
    columns.names_ = text::split(head, '\t');
    for (std::string_view const name : {"platform", "os_version", "os_bit", "os_type"}) {
      if (!columns.place(name)) {
        return error(Fault::invalid_value, fmt::format("the first line names no column {}", name));
      }
    }
    return columns;
  }

  Result<OsVersion> read(std::string_view line) const {
    auto const cells = text::split(line, '\t');
    if (cells.size() != names_.size()) {
      return error(Fault::invalid_value,
                   fmt::format("{} columns, not {}", cells.size(), names_.size()));
    }
    auto const cell = [&](std::string_view name) {
      auto const at = place(name);
      return at ? text::trim(cells[*at]) : std::string_view{};
    };
    auto const bit = cell("os_bit");
    auto const uefi = cell("uefi");
    if (!fits_length(cell("platform")) || !fits_length(cell("os_version"))) {
      return error(Fault::invalid_value,
                   fmt::format("platform and os_version have 1 to {} characters",
                               limits::os_version_characters));
    }
    if (bit != "32" && bit != "64") return error(Fault::invalid_value, "os_bit is 32 or 64");
    if (std::ranges::find(kTypes, cell("os_type")) == kTypes.end()) {
      return error(Fault::invalid_value, "os_type is Linux, Windows or Other");
    }
    if (!uefi.empty() && uefi != "yes" && uefi != "no") {
      return error(Fault::invalid_value, "uefi is yes or no");
    }
    return OsVersion{.platform = std::string(cell("platform")),
                     .text = std::string(cell("os_version")),
                     .bit = bit == "32" ? 32 : 64,
                     .type = std::string(cell("os_type")),
                     .uefi = uefi == "yes"};
  }

private:
  [[nodiscard]] std::optional<std::size_t> place(std::string_view name) const {
    auto const at = std::ranges::find(names_, name);
    if (at == names_.end()) return std::nullopt;
    return static_cast<std::size_t>(at - names_.begin());
  }

  std::vector<std::string_view> names_;
};

bool holds(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(
      words, [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

std::string_view guess_type(std::string_view name) {
  if (holds(name, {"windows"})) return "Windows";
  if (holds(name, {"bsd", "solaris", "esxi", "macos", "hurd"})) return kOther;
  return "Linux";
}

} // namespace

Result<OsVersions> OsVersions::load(OsVersionPolicy policy,
                                    std::optional<std::string> const& more) {
  OsVersions versions;
  versions.policy_ = policy;
  TRY(versions.add(embedded_os_versions(), "os_versions.tsv"));
  if (!more) return versions;
  std::ifstream file(*more, std::ios::binary);
  std::string table{std::istreambuf_iterator<char>(file), {}};
  if (!file) return error(Fault::invalid_value, fmt::format("{}: cannot be read", *more));
  TRY(versions.add(table, *more));
  return versions;
}

Result<> OsVersions::add(std::string_view table, std::string_view file) {
  if (!text::is_utf8(table)) return error(Fault::invalid_value, fmt::format("{}: not UTF-8", file));
  std::optional<Columns> columns;
  std::size_t number = 0;
  for (auto line : text::split(table, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (text::trim(line).empty() || line.starts_with('#')) continue;
    auto const at_line = [&](Error const& wrong) {
      return error(Fault::invalid_value, fmt::format("{}:{}: {}", file, number, wrong.detail));
    };
    if (!columns) {
      auto read = Columns::of(line);
      if (!read) return at_line(read.error());
      columns = std::move(*read);
      continue;
    }
    auto version = columns->read(line);
    if (!version) return at_line(version.error());
    auto const [known, added] = by_name_.try_emplace(compared(version->text), versions_.size());
    if (added) {
      versions_.push_back(std::move(*version));
    } else {
      versions_[known->second] = std::move(*version);
    }
  }
  if (!columns) return error(Fault::invalid_value, fmt::format("{}: holds no line", file));
  return {};
}

OsVersion const* OsVersions::find(std::string_view text) const {
  auto const at = by_name_.find(compared(text));
  return at == by_name_.end() ? nullptr : &versions_[at->second];
}

OsVersion OsVersions::describe(std::string_view text) const {
  if (auto const* known = find(text)) return *known;
  auto const name = compared(text);
  OsVersion guess{.platform = std::string(kOther),
                  .text = std::string(text),
                  .bit = holds(name, {"32bit", "32 bit", "32-bit", "i386", "i686"}) ? 32 : 64,
                  .type = std::string(guess_type(name))};
  // The longest name that is there: openSUSE is not SUSE.
  std::size_t longest = 0;
  for (auto const& version : versions_) {
    auto const& platform = version.platform;
    if (platform == kOther || platform.size() <= longest) continue;
    if (!holds(name, {compared(platform)})) continue;
    guess.platform = platform;
    longest = platform.size();
  }
  return guess;
}

Result<OsVersion> OsVersions::read(std::string_view text) const {
  bool const known = find(text) != nullptr;
  if (fits_length(text) && (known || policy_ == OsVersionPolicy::open)) return describe(text);
  return error(Fault::os_version, text::printable(text.substr(0, limits::os_version_characters)),
               "os_version");
}

} // namespace vitrine::service
