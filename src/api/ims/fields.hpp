// Fields that several bodies of the extension have (contract: ims-api 6.3.1), each with the error
// of its own.
#pragma once

#include "api/kit/fields.hpp"
#include "model/object_url.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace vitrine::api::ims {

struct ImageName {
  std::string text;
};
struct Description {
  std::string text;
};
/// Lower-case here (contract: ims-api, Words).
struct EnterpriseProject {
  std::string text;
};
/// A boolean, also as a text in any letter case (contract: ims-api 2.1).
struct Flag {
  bool value;
};
/// A SHA-256 as 64 hex digits; lower-case here.
struct Sha256 {
  std::string hex;
};
/// A whole number, also as a text of digits; nothing for anything else. Who needs it judges it.
struct Number {
  std::optional<std::int64_t> value;
};

/// Which of the words a text is, from 0. Error: `invalid_body`, naming them.
Result<std::size_t> read_word(json::Value const& value, std::string_view field,
                              std::initializer_list<std::string_view> words);

} // namespace vitrine::api::ims

namespace vitrine::api {

template <>
struct Wire<ims::ImageName> {
  static constexpr Fault missing = Fault::name_missing;
  static constexpr std::string_view schema = R"({"type":"string","minLength":1,"maxLength":128})";
  static Result<ims::ImageName> read(json::Value const& value, std::string_view field);
};

template <>
struct Wire<ims::Description> {
  static constexpr std::string_view schema = R"({"type":"string","maxLength":1024})";
  static Result<ims::Description> read(json::Value const& value, std::string_view field);
};

template <>
struct Wire<model::ObjectUrl> {
  static constexpr Fault missing = Fault::object_url_form;
  static constexpr std::string_view schema = R"({"type":"string","pattern":"^[^:]+:.+$"})";
  static Result<model::ObjectUrl> read(json::Value const& value, std::string_view field);
};

template <>
struct Wire<ims::EnterpriseProject> {
  static constexpr std::string_view schema = R"({"type":"string"})";
  static Result<ims::EnterpriseProject> read(json::Value const& value, std::string_view field);
};

template <>
struct Wire<ims::Flag> {
  static constexpr std::string_view schema = R"({"type":["boolean","string"]})";
  static Result<ims::Flag> read(json::Value const& value, std::string_view field);
};

template <>
struct Wire<ims::Sha256> {
  static constexpr std::string_view schema = R"({"type":"string","pattern":"^[0-9A-Fa-f]{64}$"})";
  static Result<ims::Sha256> read(json::Value const& value, std::string_view field);
};

template <>
struct Wire<ims::Number> {
  static constexpr std::string_view schema = R"({"type":["integer","string"]})";
  static Result<ims::Number> read(json::Value const& value, std::string_view field);
};

} // namespace vitrine::api
