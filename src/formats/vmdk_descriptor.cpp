#include "formats/vmdk_descriptor.hpp"

#include "base/text.hpp"
#include "formats/source.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

namespace vitrine::formats {
namespace {

constexpr std::string_view kTitle = "disk descriptorfile";

// A NUL ends the text for some readers and not for others, so it counts as the end of a line.
std::vector<std::string_view> lines_of(std::string_view text) {
  constexpr std::string_view kEnds{"\n\r\0", 3};
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    auto const end = std::min(text.find_first_of(kEnds), text.size());
    auto const line = text::trim(text.substr(0, end));
    if (!line.empty()) lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::vector<std::string_view> words_of(std::string_view line) {
  constexpr std::string_view kBlank = " \t";
  std::vector<std::string_view> words;
  for (auto begin = line.find_first_not_of(kBlank); begin != std::string_view::npos;) {
    auto const end = std::min(line.find_first_of(kBlank, begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    begin = line.find_first_not_of(kBlank, end);
  }
  return words;
}

struct Entry {
  std::string key; ///< lower case
  std::string_view value;
};

// key = value, the value in quotes or not.
std::optional<Entry> entry_of(std::string_view line) {
  auto const equals = line.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  auto const key = text::trim(line.substr(0, equals));
  auto const in_key = [](char c) { return text::is_alnum(c) || c == '.' || c == '_' || c == '-'; };
  if (key.empty() || !std::ranges::all_of(key, in_key)) return std::nullopt;
  auto value = text::trim(line.substr(equals + 1));
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  return Entry{text::to_lower(key), value};
}

Result<> check_entry(Entry const& entry) {
  if (entry.key == "createtype") {
    if (entry.value == "monolithicSparse" || entry.value == "streamOptimized") return {};
    return unsafe("is of a createType that is not allowed");
  }
  if (entry.key == "parentcid" && text::to_lower(entry.value) != "ffffffff") {
    return unsafe("needs a parent disk");
  }
  if (entry.key == "changetrackpath") return unsafe("names another file");
  return {};
}

bool is_extent(std::string_view line) {
  auto const word = text::to_lower(line.substr(0, line.find_first_of(" \t")));
  return word == "rw" || word == "rdonly" || word == "noaccess";
}

// access sectors SPARSE "name": the name is what the file was called when it was written.
Result<> check_extent(std::string_view line) {
  auto const quote = line.find('"');
  auto const words = words_of(line.substr(0, quote));
  if (quote == std::string_view::npos || words.size() != 3 || !text::parse_int(words[1])) {
    return unsafe("has an extent that cannot be read");
  }
  if (!text::equals_ignoring_case(words[2], "sparse")) {
    return unsafe("has an extent that is not part of this file");
  }
  auto const rest = line.substr(quote + 1);
  auto const name = rest.substr(0, rest.find('"'));
  bool const plain = std::ranges::none_of(
      name, [](char c) { return c == '/' || c == '\\' || c == ':' || c == '%'; });
  if (!plain || name.empty() || name == "." || name == ".." || name.size() + 1 != rest.size()) {
    return unsafe("has an extent that names another file");
  }
  return {};
}

std::size_t occurrences(std::string_view text, std::string_view word) {
  std::size_t count = 0;
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    ++count;
  }
  return count;
}

} // namespace

bool is_vmdk_descriptor(std::string_view text) {
  constexpr std::array<std::string_view, 5> kKeys = {"version", "createtype", "cid", "parentcid",
                                                     "encoding"};
  constexpr std::string_view kBlank = " \t\r\n";
  while (!text.empty()) {
    auto const begin = text.find_first_not_of(kBlank);
    if (begin == std::string_view::npos) return false;
    text.remove_prefix(begin);
    auto const end = std::min(text.find_first_of("\r\n"), text.size());
    auto const line = text.substr(0, end);
    if (line.front() != '#') {
      auto const entry = entry_of(line);
      return entry && std::ranges::find(kKeys, entry->key) != kKeys.end();
    }
    if (text::to_lower(text::trim(line.substr(1))).starts_with(kTitle)) return true;
    text.remove_prefix(end);
  }
  return false;
}

Result<> check_vmdk_descriptor(std::string_view text) {
  // Some readers search the whole text for a key, comments included; then it must stand there but
  // once.
  auto const lower = text::to_lower(text);
  if (occurrences(lower, "parentfilenamehint") > 0) return unsafe("names a parent disk");
  if (occurrences(lower, "createtype") != 1 || occurrences(lower, "parentcid") > 1) {
    return unsafe("has a descriptor that tells its type never or more than once");
  }
  int extents = 0;
  bool typed = false;
  for (auto const line : lines_of(text)) {
    if (line.front() == '#') continue;
    if (is_extent(line)) {
      TRY(check_extent(line));
      ++extents;
      continue;
    }
    auto const entry = entry_of(line);
    if (!entry) return unsafe("has a descriptor line that cannot be read");
    TRY(check_entry(*entry));
    typed = typed || entry->key == "createtype";
  }
  if (!typed) return unsafe("has a descriptor without a type");
  if (extents != 1) return unsafe("does not have exactly one extent");
  return {};
}

} // namespace vitrine::formats
