#include "api/ims/tag_fields.hpp"

#include <fmt/format.h>

namespace vitrine::api::ims {

Result<std::vector<std::string>> new_image_tags(std::optional<TagTexts> const& tags,
                                                std::optional<TagList> const& image_tags) {
  auto const texts = tags.value_or(TagTexts{}).tags;
  auto const pairs = image_tags.value_or(TagList{}).tags;
  if (!texts.empty() && !pairs.empty()) {
    return error(Fault::tag_form, "both tags and image_tags are given", "tags");
  }
  auto const checked = TRY(model::check_new_tags(texts.empty() ? pairs : texts));
  std::vector<std::string> strings;
  TRY(model::put_tags(strings, checked));
  return strings;
}

void write_tags(json::Writer& writer, std::span<model::Tag const> tags) {
  writer.begin_array();
  for (auto const& tag : tags) {
    writer.begin_object().field("key", tag.key).field("value", tag.value).end_object();
  }
  writer.end_array();
}

} // namespace vitrine::api::ims

namespace vitrine::api {
namespace {

Error wrong_type(std::string_view field, std::string_view type) {
  return error(Fault::invalid_body, fmt::format("{} must be {}", field, type), std::string(field));
}

Result<json::Object const*> object_of(json::Value const& value, std::string_view field) {
  if (auto const* object = value.if_object()) return object;
  return wrong_type(field, "an object");
}

Result<json::Array const*> array_of(json::Value const& value, std::string_view field) {
  if (auto const* array = value.if_array()) return array;
  return wrong_type(field, "an array");
}

// What is absent, or null, is empty.
Result<std::string> text_of(json::Object const& object, std::string_view name,
                            std::string_view field) {
  auto const* value = detail::find(object, name);
  if (value == nullptr) return std::string();
  return Wire<std::string>::read(*value, fmt::format("{}.{}", field, name));
}

Result<model::KeyCondition> condition_of(json::Value const& value, std::string_view field) {
  auto const* object = TRY(object_of(value, field));
  model::KeyCondition condition;
  condition.key = TRY(text_of(*object, "key", field));
  auto const* values = detail::find(*object, "values");
  if (values == nullptr) return condition;
  auto const name = fmt::format("{}.values", field);
  auto const* array = TRY(array_of(*values, name));
  for (auto const& each : *array)
    condition.values.push_back(TRY(Wire<std::string>::read(each, name)));
  return condition;
}

} // namespace

Result<model::Tag> Wire<model::Tag>::read(json::Value const& value, std::string_view field) {
  auto const* object = TRY(object_of(value, field));
  model::Tag tag;
  tag.key = TRY(text_of(*object, "key", field));
  tag.value = TRY(text_of(*object, "value", field));
  return tag;
}

Result<ims::TagList> Wire<ims::TagList>::read(json::Value const& value, std::string_view field) {
  auto const* array = TRY(array_of(value, field));
  ims::TagList list;
  for (auto const& element : *array)
    list.tags.push_back(TRY(Wire<model::Tag>::read(element, field)));
  return list;
}

Result<ims::TagTexts> Wire<ims::TagTexts>::read(json::Value const& value, std::string_view field) {
  auto const* array = TRY(array_of(value, field));
  ims::TagTexts texts;
  for (auto const& element : *array) {
    auto const text = TRY(Wire<std::string>::read(element, field));
    texts.tags.push_back(model::parse_tag(text));
  }
  return texts;
}

Result<ims::WholeTag> Wire<ims::WholeTag>::read(json::Value const& value, std::string_view field) {
  auto tag = TRY(Wire<model::Tag>::read(value, field));
  if (detail::find(value.get_object(), "value") == nullptr) {
    return error(missing, fmt::format("{}.value is missing", field), std::string(field));
  }
  return ims::WholeTag{std::move(tag)};
}

Result<ims::KeyConditions> Wire<ims::KeyConditions>::read(json::Value const& value,
                                                          std::string_view field) {
  auto const* array = TRY(array_of(value, field));
  ims::KeyConditions conditions;
  for (auto const& element : *array)
    conditions.all.push_back(TRY(condition_of(element, field)));
  return conditions;
}

} // namespace vitrine::api
