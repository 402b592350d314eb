#include "model/image_tags.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <set>
#include <utf8proc.h>

namespace vitrine::model {
namespace {

Error misformed(std::string detail) { return error(Fault::tag_form, std::move(detail), "tag"); }

// Tabs are no spaces here: they are control characters.
std::string_view without_spaces(std::string_view text) {
  auto const first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

bool has_control_character(std::string_view text) {
  auto const* at = reinterpret_cast<utf8proc_uint8_t const*>(text.data());
  auto left = static_cast<utf8proc_ssize_t>(text.size());
  while (left > 0) {
    utf8proc_int32_t character = -1;
    auto const size = utf8proc_iterate(at, left, &character);
    if (size <= 0 || utf8proc_category(character) == UTF8PROC_CATEGORY_CC) return true;
    at += size;
    left -= size;
  }
  return false;
}

Result<> check_length(std::string_view what, std::string_view text, std::size_t least,
                      std::size_t most) {
  auto const length = text::length_utf8(text);
  if (length >= least && length <= most) return {};
  return misformed(
      fmt::format("{}: {} characters, {} to {} are allowed", what, length, least, most));
}

Result<> check_characters(std::string_view what, std::string_view text) {
  if (!has_control_character(text)) return {};
  return misformed(fmt::format("{}: control characters are not allowed", what));
}

Result<> check_new(Tag const& tag) {
  TRY(check_length("key", tag.key, 1, limits::ims_tag_key_characters));
  TRY(check_characters("key", tag.key));
  if (tag.key.find('=') != std::string::npos) return misformed("key: '=' is not allowed");
  TRY(check_length("value", tag.value, 0, limits::ims_tag_value_characters));
  return check_characters("value", tag.value);
}

Result<> check_each_once(std::string_view what, std::span<std::string const> texts) {
  std::set<std::string_view> seen;
  for (auto const& text : texts) {
    if (!seen.insert(text).second) {
      return misformed(fmt::format("{}: '{}' is given twice", what, text));
    }
  }
  return {};
}

std::vector<std::string> keys_of(std::span<Tag const> tags) {
  std::vector<std::string> keys;
  std::ranges::transform(tags, std::back_inserter(keys), &Tag::key);
  return keys;
}

bool holds(KeyCondition const& condition, std::span<Tag const> tags) {
  return std::ranges::any_of(tags, [&](Tag const& tag) {
    return tag.key == condition.key &&
           (condition.values.empty() ||
            std::ranges::find(condition.values, tag.value) != condition.values.end());
  });
}

} // namespace

Tag tag_of(std::string_view text) {
  auto const at = text.find('=');
  if (at == std::string_view::npos) return {std::string(text), {}};
  return {std::string(text.substr(0, at)), std::string(text.substr(at + 1))};
}

std::string text_of(Tag const& tag) {
  return tag.value.empty() ? tag.key : tag.key + '=' + tag.value;
}

std::vector<Tag> tags_of(std::span<std::string const> texts) {
  std::vector<Tag> tags;
  std::ranges::transform(texts, std::back_inserter(tags), tag_of);
  std::ranges::sort(tags);
  auto const repeated = std::ranges::unique(tags);
  tags.erase(repeated.begin(), repeated.end());
  return tags;
}

Tag parse_tag(std::string_view text) {
  auto const dot = text.find('.');
  if (text.find('=') != std::string_view::npos || dot == std::string_view::npos) {
    return tag_of(text);
  }
  return {std::string(text.substr(0, dot)), std::string(text.substr(dot + 1))};
}

Result<std::vector<Tag>> check_new_tags(std::span<Tag const> asked) {
  std::vector<Tag> tags;
  for (auto const& tag : asked) {
    tags.push_back({std::string(without_spaces(tag.key)), std::string(without_spaces(tag.value))});
    TRY(check_new(tags.back()));
  }
  TRY(check_each_once("key", keys_of(tags)));
  return tags;
}

Result<std::vector<std::string>> check_old_tags(std::span<Tag const> asked) {
  for (auto const& tag : asked) {
    TRY(check_length("key", tag.key, 1, limits::ims_removed_key_characters));
    TRY(check_length("value", tag.value, 0, limits::tag_characters));
  }
  auto keys = keys_of(asked);
  TRY(check_each_once("key", keys));
  return keys;
}

Result<> put_tags(std::vector<std::string>& texts, std::span<Tag const> tags) {
  auto const before = texts;
  for (auto const& tag : tags) {
    auto const wanted = text_of(tag);
    std::erase_if(texts, [&](std::string const& text) {
      return text != wanted && tag_of(text).key == tag.key;
    });
    if (std::ranges::find(texts, wanted) == texts.end()) texts.push_back(wanted);
  }
  if (texts == before || texts.size() <= limits::ims_image_tags) return {};
  return error(Fault::tag_limit, fmt::format("{} tags, at most {} are allowed", texts.size(),
                                             limits::ims_image_tags));
}

std::size_t remove_key(std::vector<std::string>& texts, std::string_view key) {
  return std::erase_if(texts, [&](std::string const& text) {
    auto const tag = tag_of(text);
    return tag.key == key || tag.key == without_spaces(key);
  });
}

Result<> check_conditions(std::span<KeyCondition const> conditions) {
  std::vector<std::string> keys;
  for (auto const& condition : conditions) {
    keys.push_back(condition.key);
    TRY(check_length("key", condition.key, 1, limits::ims_queried_key_characters));
    if (condition.values.size() > limits::ims_queried_values) {
      return misformed(fmt::format("values: {} of key '{}', at most {} are allowed",
                                   condition.values.size(), condition.key,
                                   limits::ims_queried_values));
    }
    for (auto const& value : condition.values)
      TRY(check_length("value", value, 0, limits::tag_characters));
    TRY(check_each_once("value", condition.values));
  }
  if (keys.size() > limits::ims_queried_keys) {
    return misformed(
        fmt::format("{} keys, at most {} are allowed", keys.size(), limits::ims_queried_keys));
  }
  return check_each_once("key", keys);
}

bool fits(TagQuery const& query, std::span<Tag const> tags) {
  if (query.without_tags) return tags.empty();
  auto const is_held = [&](KeyCondition const& condition) { return holds(condition, tags); };
  return std::ranges::all_of(query.all, is_held) &&
         (query.any.empty() || std::ranges::any_of(query.any, is_held)) &&
         (query.not_all.empty() || !std::ranges::all_of(query.not_all, is_held)) &&
         std::ranges::none_of(query.not_any, is_held);
}

} // namespace vitrine::model
