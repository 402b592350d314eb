// Declared fields of a JSON body: name, type, limits and text in one place.
//
// `Wire<T>` says once how a type is read from JSON, refused, and described. `required` and
// `optional` tie a JSON name to a member of the body struct, so a wrong type does not compile.
#pragma once

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "model/caller.hpp"

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace vitrine::api {

/// Documented query parameter.
struct Parameter {
  std::string_view name;
  std::string_view text;
};

/// What the API document says of a field.
struct FieldInfo {
  std::string_view name;
  bool required{false};
  std::string schema; ///< JSON schema text
  std::string_view text;
};

/// The members of the JSON schema of an object with these fields, into an object that is open.
void write_schema(json::Writer& writer, std::vector<FieldInfo> const& fields);

template <class Body>
struct Field {
  FieldInfo info;
  std::function<Result<>(Body&, json::Object const&, model::Caller const&)> read;
};

/// Bounds on the number of elements or characters.
struct Size {
  std::size_t least;
  std::size_t most;
};

/// Parses a body: JSON without NUL characters, which no name, text or id may hold and not every
/// database can. Error: `invalid_body`.
Result<json::Value> read_json(std::string_view body);

/// Parses a body that must be a JSON object. Errors: `empty_body` for nothing or `null`,
/// `invalid_body`.
Result<json::Object> read_object(std::string_view body);

template <class T>
struct Wire;

template <>
struct Wire<std::string> {
  static constexpr Fault missing = Fault::invalid_body;
  static constexpr std::string_view schema = R"({"type":"string"})";
  static Result<std::string> read(json::Value const& value, std::string_view field) {
    if (auto const* text = value.if_string()) return std::string(json::view(*text));
    return error(Fault::invalid_body, std::string(field) + " must be a string", std::string(field));
  }
};

template <>
struct Wire<ImageId> {
  static constexpr Fault missing = Fault::invalid_image_id;
  static constexpr std::string_view schema = R"({"type":"string","format":"uuid"})";
  static Result<ImageId> read(json::Value const& value, std::string_view field);
};

template <>
struct Wire<ProjectId> {
  static constexpr Fault missing = Fault::invalid_project_id;
  static constexpr std::string_view schema =
      R"({"type":"string","pattern":"^[A-Za-z0-9._-]{1,64}$"})";
  static Result<ProjectId> read(json::Value const& value, std::string_view field);
};

namespace detail {

/// The value of a field; null when absent or JSON null, which count as the same (contract:
/// ims-api 2.1).
json::Value const* find(json::Object const& object, std::string_view name);
/// False for what is absent, null or an empty array.
bool is_given(json::Object const& object, std::string_view name);
std::string array_schema(std::string_view element, Size size);
Error wrong_count(std::string_view field, std::size_t count, Size size);

/// Reads an array, drops repeated elements (the first stays) and checks the count before that.
template <class T>
Result<std::vector<T>> read_array(json::Value const& value, std::string_view field, Size size) {
  auto const* array = value.if_array();
  if (array == nullptr) {
    return error(Fault::invalid_body, std::string(field) + " must be an array", std::string(field));
  }
  if (array->empty() && size.least > 0) {
    return error(Wire<T>::missing, std::string(field) + " is empty", std::string(field));
  }
  if (array->size() > size.most) return wrong_count(field, array->size(), size);
  std::vector<T> out;
  std::unordered_set<T> seen;
  for (auto const& element : *array) {
    auto item = TRY(Wire<T>::read(element, field));
    if (seen.insert(item).second) out.push_back(std::move(item));
  }
  return out;
}

} // namespace detail

/// An array field that must be there.
template <class Body, class T>
Field<Body> required(std::string_view name, std::vector<T> Body::* member, Size size,
                     std::string_view text) {
  return {{name, true, detail::array_schema(Wire<T>::schema, size), text},
          [=](Body& body, json::Object const& object, model::Caller const&) -> Result<> {
            auto const* value = detail::find(object, name);
            if (value == nullptr) {
              return error(Wire<T>::missing, std::string(name) + " is missing", std::string(name));
            }
            body.*member = TRY(detail::read_array<T>(*value, name, size));
            return {};
          }};
}

/// A single field that must be there.
template <class Body, class T>
Field<Body> required(std::string_view name, T Body::* member, std::string_view text) {
  return {{name, true, std::string(Wire<T>::schema), text},
          [=](Body& body, json::Object const& object, model::Caller const&) -> Result<> {
            auto const* value = detail::find(object, name);
            if (value == nullptr) {
              return error(Wire<T>::missing, std::string(name) + " is missing", std::string(name));
            }
            body.*member = TRY(Wire<T>::read(*value, name));
            return {};
          }};
}

/// A single field that may be absent or null.
template <class Body, class T>
Field<Body> optional(std::string_view name, std::optional<T> Body::* member,
                     std::string_view text) {
  return {{name, false, std::string(Wire<T>::schema), text},
          [=](Body& body, json::Object const& object, model::Caller const&) -> Result<> {
            if (auto const* value = detail::find(object, name)) {
              body.*member = TRY(Wire<T>::read(*value, name));
            }
            return {};
          }};
}

/// A field that is also judged by who sends it. Fields are judged one after the other, so this
/// comes before what is wrong with a later one (contract: ims-api 2.1).
template <class Body>
Field<Body> checked(Field<Body> field, Result<> (*check)(Body const&, model::Caller const&)) {
  auto read = [read = std::move(field.read), check](Body& body, json::Object const& object,
                                                    model::Caller const& caller) -> Result<> {
    TRY(read(body, object, caller));
    return check(body, caller);
  };
  return {std::move(field.info), std::move(read)};
}

/// A field that may be absent and not null: who sends it must not be taken for one who did not.
/// Error: `invalid_body`.
template <class Body>
Field<Body> never_null(Field<Body> field) {
  auto read = [read = std::move(field.read), name = field.info.name](
                  Body& body, json::Object const& object, model::Caller const& caller) -> Result<> {
    auto const* const value = object.if_contains(name);
    if (value == nullptr || !value->is_null()) return read(body, object, caller);
    return error(Fault::invalid_body, std::string(name) + " must not be null", std::string(name));
  };
  return {std::move(field.info), std::move(read)};
}

/// A field that may be absent or empty when one of `others` is not.
template <class Body>
Field<Body> unless(std::vector<std::string_view> others, Field<Body> field) {
  auto read = [read = std::move(field.read), name = field.info.name, others = std::move(others)](
                  Body& body, json::Object const& object, model::Caller const& caller) -> Result<> {
    auto const is_given = [&](std::string_view each) { return detail::is_given(object, each); };
    if (!is_given(name) && std::ranges::any_of(others, is_given)) return {};
    return read(body, object, caller);
  };
  return {std::move(field.info), std::move(read)};
}

/// A field of the contract that this release does not offer: anything but absent, null or empty is
/// refused.
template <class Body>
Field<Body> not_offered(std::string_view name, std::string_view text) {
  return {{name, false, R"({"type":"array","maxItems":0})", text},
          [=](Body&, json::Object const& object, model::Caller const&) -> Result<> {
            if (!detail::is_given(object, name)) return {};
            return error(Fault::not_offered, std::string(name) + " is not offered",
                         std::string(name));
          }};
}

} // namespace vitrine::api
