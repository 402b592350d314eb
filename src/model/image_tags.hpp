// Tags as the extension sees them: keys with values (contract: ims-api 9). The strings of an image
// are the truth; `k=v` is key k with value v, a string without `=` is a key with an empty value.
// Pure.
#pragma once

#include "base/result.hpp"

#include <compare>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::model {

struct Tag {
  std::string key;
  std::string value;

  friend auto operator<=>(Tag const&, Tag const&) = default;
};

/// What a string of an image is: split at its first `=`.
Tag tag_of(std::string_view text);
/// The string that the extension stores: `key=value`, or `key` alone for an empty value.
std::string text_of(Tag const& tag);
/// What the strings are, sorted, each once.
std::vector<Tag> tags_of(std::span<std::string const> texts);

/// A tag as a request gives it: `key=value`, `key.value` split at the first dot when there is no
/// `=`, or `key`. No limit is looked at.
Tag parse_tag(std::string_view text);

/// What is to be set, without the spaces around keys and values. Errors: `tag_form` for a key that
/// is empty, longer than 36 characters, or holds `=` or a control character; for a value longer
/// than 43 or with a control character; for a key that comes twice.
Result<std::vector<Tag>> check_new_tags(std::span<Tag const> asked);
/// The keys of what is to be removed, as they are: who wrote natively was not bound by the limits
/// above. Error: `tag_form` for a key without a character or with more than 127, for a value of
/// more than 255, for a key that comes twice.
Result<std::vector<std::string>> check_old_tags(std::span<Tag const> asked);

/// Puts the tags in place of all strings with the same keys. What is there already stays where it
/// is. Error: `tag_limit` when something changed and more than 10 strings are left.
Result<> put_tags(std::vector<std::string>& texts, std::span<Tag const> tags);
/// Removes all strings with that key, with or without the spaces around it; how many.
std::size_t remove_key(std::vector<std::string>& texts, std::string_view key);

/// Images with a key, and with one of some values unless there are none.
struct KeyCondition {
  std::string key;
  std::vector<std::string> values;
};

/// Which images are wanted by their tags; a list without conditions asks for nothing.
struct TagQuery {
  std::vector<KeyCondition> all{};     ///< every one holds
  std::vector<KeyCondition> any{};     ///< one holds
  std::vector<KeyCondition> not_all{}; ///< one does not hold
  std::vector<KeyCondition> not_any{}; ///< none holds
  bool without_tags{false};            ///< no tag at all; the lists are not looked at
};

/// Error: `tag_form` for more than 10 keys, or 10 values of one; for a key without a character or
/// with more than 128, a value with more than 255; for a key, or a value of one, that comes twice.
Result<> check_conditions(std::span<KeyCondition const> conditions);
/// Is an image with these tags wanted?
bool fits(TagQuery const& query, std::span<Tag const> tags);

} // namespace vitrine::model
