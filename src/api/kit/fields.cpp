#include "api/kit/fields.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

namespace vitrine::api {

namespace {

bool holds_nul(json::Value const& value) {
  constexpr auto in = [](std::string_view text) {
    return text.find('\0') != std::string_view::npos;
  };
  if (auto const* text = value.if_string()) return in(json::view(*text));
  if (auto const* array = value.if_array()) return std::ranges::any_of(*array, holds_nul);
  if (auto const* object = value.if_object()) {
    return std::ranges::any_of(*object, [&](auto const& member) {
      return in({member.key().data(), member.key().size()}) || holds_nul(member.value());
    });
  }
  return false;
}

} // namespace

Result<json::Value> read_json(std::string_view body) {
  auto value = TRY(json::parse(body));
  // It comes escaped or not at all, so hardly a body needs the look at each text.
  if (body.find("\\u0000") != std::string_view::npos && holds_nul(value)) {
    return error(Fault::invalid_body, "a string holds a NUL character");
  }
  return value;
}

Result<json::Object> read_object(std::string_view body) {
  if (body.empty()) return error(Fault::empty_body);
  auto value = TRY(read_json(body));
  if (value.is_null()) return error(Fault::empty_body);
  if (auto* object = value.if_object()) return std::move(*object);
  return error(Fault::invalid_body, "the body must be a JSON object");
}

Result<ImageId> Wire<ImageId>::read(json::Value const& value, std::string_view field) {
  auto const text = TRY(Wire<std::string>::read(value, field));
  if (!is_uuid(text)) {
    return error(Fault::invalid_image_id, fmt::format("{} holds something that is no UUID", field),
                 std::string(field));
  }
  return ImageId{text::to_lower(text)};
}

Result<ProjectId> Wire<ProjectId>::read(json::Value const& value, std::string_view field) {
  auto text = TRY(Wire<std::string>::read(value, field));
  if (!is_project_id(text)) {
    return error(Fault::invalid_project_id,
                 fmt::format("{}: 1 to 64 of A-Z a-z 0-9 . _ - are allowed", field),
                 std::string(field));
  }
  return ProjectId{std::move(text)};
}

void write_schema(json::Writer& writer, std::vector<FieldInfo> const& fields) {
  writer.field("type", "object").key("properties").begin_object();
  for (auto const& field : fields) {
    // The schema is an object, to which the text belongs too.
    auto const inner = std::string_view(field.schema).substr(1, field.schema.size() - 2);
    writer.key(field.name).begin_object().field("description", field.text).raw(inner).end_object();
  }
  writer.end_object();
  if (std::ranges::none_of(fields, &FieldInfo::required)) return;
  writer.key("required").begin_array();
  for (auto const& field : fields) {
    if (field.required) writer.string(field.name);
  }
  writer.end_array();
}

namespace detail {

json::Value const* find(json::Object const& object, std::string_view name) {
  auto const* value = object.if_contains({name.data(), name.size()});
  return value == nullptr || value->is_null() ? nullptr : value;
}

bool is_given(json::Object const& object, std::string_view name) {
  auto const* value = find(object, name);
  return value != nullptr && !(value->is_array() && value->get_array().empty());
}

std::string array_schema(std::string_view element, Size size) {
  return fmt::format(R"({{"type":"array","minItems":{},"maxItems":{},"items":{}}})", size.least,
                     size.most, element);
}

Error wrong_count(std::string_view field, std::size_t count, Size size) {
  return error(Fault::invalid_body,
               fmt::format("{} has {} elements, at most {} are allowed", field, count, size.most),
               std::string(field));
}

} // namespace detail
} // namespace vitrine::api
