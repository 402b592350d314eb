#include "api/kit/fields.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

namespace vitrine::api {

Result<json::Object> read_object(std::string_view body) {
  if (body.empty()) return error(Fault::empty_body);
  auto value = TRY(json::parse(body));
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

namespace detail {

json::Value const* find(json::Object const& object, std::string_view name) {
  auto const* value = object.if_contains({name.data(), name.size()});
  return value == nullptr || value->is_null() ? nullptr : value;
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
