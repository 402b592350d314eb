#include "api/kit/query.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <iterator>
#include <ranges>

namespace vitrine::api {
namespace {

Result<std::string> decode(std::string_view text) {
  auto decoded = text::percent_decode(text, true);
  if (!decoded) return error(Fault::invalid_query, "a percent escape is malformed");
  if (!text::is_utf8(*decoded)) return error(Fault::invalid_query, "the query is not UTF-8");
  if (decoded->find('\0') != std::string::npos) {
    return error(Fault::invalid_query, "the query holds a NUL character");
  }
  return std::move(*decoded);
}

} // namespace

Result<Query> Query::parse(std::string_view text) {
  Query query;
  if (text.empty()) return query;
  for (auto const part : text::split(text, '&')) {
    if (part.empty()) continue;
    auto const equals = part.find('=');
    auto name = TRY(decode(part.substr(0, equals)));
    auto value =
        equals == std::string_view::npos ? std::string{} : TRY(decode(part.substr(equals + 1)));
    query.pairs_.emplace_back(std::move(name), std::move(value));
  }
  return query;
}

std::optional<std::string_view> Query::last(std::string_view name) const {
  for (auto const& [key, value] : pairs_ | std::views::reverse) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::vector<std::string_view> Query::all(std::string_view name) const {
  std::vector<std::string_view> out;
  for (auto const& [key, value] : pairs_) {
    if (key == name) out.emplace_back(value);
  }
  return out;
}

Query Query::without_empty() const {
  Query query;
  std::ranges::copy_if(pairs_, std::back_inserter(query.pairs_),
                       [](Pair const& pair) { return !pair.second.empty(); });
  return query;
}

Query Query::without(std::initializer_list<std::string_view> names) const {
  Query rest;
  for (auto const& pair : pairs_) {
    if (std::ranges::find(names, pair.first) == names.end()) rest.pairs_.push_back(pair);
  }
  return rest;
}

std::string Query::with(std::string_view name, std::optional<std::string_view> value) const {
  std::string out;
  auto const add = [&](std::string_view key, std::string_view text) {
    if (!out.empty()) out += '&';
    out += text::percent_encode(key);
    out += '=';
    out += text::percent_encode(text);
  };
  for (auto const& [key, text] : pairs_) {
    if (key != name) add(key, text);
  }
  if (value) add(name, *value);
  return out;
}

} // namespace vitrine::api
