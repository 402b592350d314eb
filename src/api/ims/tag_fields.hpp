// Tags in bodies of the extension (contract: ims-api 9), read as they are given: the limits are
// those of model/image_tags.hpp, and differ by what is done with them.
#pragma once

#include "api/kit/fields.hpp"
#include "model/image_tags.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::api::ims {

/// `[{"key": …, "value": …}]`; what is absent is empty.
struct TagList {
  std::vector<model::Tag> tags;
};
/// `["key=value", "key.value", "key"]`
struct TagTexts {
  std::vector<model::Tag> tags;
};
/// A tag whose value must be there, if only empty.
struct WholeTag {
  model::Tag tag;
};
/// `[{"key": …, "values": […]}]`
struct KeyConditions {
  std::vector<model::KeyCondition> all;
};

/// The strings of a new image, of which one of two fields tells (contract: ims-api 6.3.1). Errors:
/// `tag_form`, also when neither is empty; `tag_limit`.
Result<std::vector<std::string>> new_image_tags(std::optional<TagTexts> const& tags,
                                                std::optional<TagList> const& image_tags);

void write_tags(json::Writer& writer, std::span<model::Tag const> tags);

} // namespace vitrine::api::ims

namespace vitrine::api {

template <>
struct Wire<model::Tag> {
  static constexpr std::string_view schema =
      R"({"type":"object","properties":{"key":{"type":"string","maxLength":36},)"
      R"("value":{"type":"string","maxLength":43}}})";
  static Result<model::Tag> read(json::Value const& value, std::string_view field);
};

template <>
struct Wire<ims::TagList> {
  static constexpr std::string_view schema =
      R"({"type":"array","items":{"type":"object","required":["key"],"properties":)"
      R"({"key":{"type":"string"},"value":{"type":"string"}}}})";
  static Result<ims::TagList> read(json::Value const& value, std::string_view field);
};

template <>
struct Wire<ims::TagTexts> {
  static constexpr std::string_view schema = R"({"type":"array","items":{"type":"string"}})";
  static Result<ims::TagTexts> read(json::Value const& value, std::string_view field);
};

template <>
struct Wire<ims::WholeTag> {
  static constexpr Fault missing = Fault::tag_form;
  static constexpr std::string_view schema =
      R"({"type":"object","required":["key","value"],"properties":)"
      R"({"key":{"type":"string","minLength":1,"maxLength":36},)"
      R"("value":{"type":"string","maxLength":43}}})";
  static Result<ims::WholeTag> read(json::Value const& value, std::string_view field);
};

template <>
struct Wire<ims::KeyConditions> {
  static constexpr std::string_view schema =
      R"({"type":"array","minItems":1,"maxItems":10,"items":{"type":"object","required":["key"],)"
      R"("properties":{"key":{"type":"string","minLength":1,"maxLength":128},"values":)"
      R"({"type":"array","maxItems":10,"items":{"type":"string","maxLength":255}}}}})";
  static Result<ims::KeyConditions> read(json::Value const& value, std::string_view field);
};

} // namespace vitrine::api
