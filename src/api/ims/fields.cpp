#include "api/ims/fields.hpp"

#include "base/text.hpp"
#include "model/image_texts.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vitrine::api {
namespace {

/// The text of a field, once it passes the check, whose detail does not know the field.
Result<std::string> checked_text(json::Value const& value, std::string_view field,
                                 Result<> (*check)(std::string_view)) {
  auto text = TRY(Wire<std::string>::read(value, field));
  auto const fits = check(text);
  if (fits) return text;
  return error(fits.error().fault, fmt::format("{}: {}", field, fits.error().detail),
               std::string(field));
}

} // namespace

Result<ims::ImageName> Wire<ims::ImageName>::read(json::Value const& value,
                                                  std::string_view field) {
  if (!value.is_string()) return error(Fault::name_not_text, {}, std::string(field));
  auto text = TRY(checked_text(value, field, model::check_image_name));
  return ims::ImageName{std::move(text)};
}

Result<ims::Description> Wire<ims::Description>::read(json::Value const& value,
                                                      std::string_view field) {
  auto text = TRY(checked_text(value, field, model::check_description));
  return ims::Description{std::move(text)};
}

Result<model::ObjectUrl> Wire<model::ObjectUrl>::read(json::Value const& value,
                                                      std::string_view field) {
  auto const text = TRY(Wire<std::string>::read(value, field));
  return model::parse_object_url(text, field);
}

Result<ims::EnterpriseProject> Wire<ims::EnterpriseProject>::read(json::Value const& value,
                                                                  std::string_view field) {
  auto const text = TRY(checked_text(value, field, model::check_enterprise_project));
  return ims::EnterpriseProject{text::to_lower(text)};
}

Result<ims::Flag> Wire<ims::Flag>::read(json::Value const& value, std::string_view field) {
  if (auto const* flag = value.if_bool()) return ims::Flag{*flag};
  if (auto const* text = value.if_string()) {
    if (text::equals_ignoring_case(json::view(*text), "true")) return ims::Flag{true};
    if (text::equals_ignoring_case(json::view(*text), "false")) return ims::Flag{false};
  }
  return error(Fault::invalid_body, std::string(field) + " must be true or false",
               std::string(field));
}

Result<std::size_t> ims::read_word(json::Value const& value, std::string_view field,
                                   std::initializer_list<std::string_view> words) {
  auto const text = TRY(Wire<std::string>::read(value, field));
  auto const* const at = std::ranges::find(words, text);
  if (at != words.end()) return static_cast<std::size_t>(at - words.begin());
  return error(Fault::invalid_body, fmt::format("{} must be {}", field, fmt::join(words, " or ")),
               std::string(field));
}

Result<ims::Sha256> Wire<ims::Sha256>::read(json::Value const& value, std::string_view field) {
  constexpr std::size_t kBytes = 32;
  auto const* const text = value.if_string();
  auto const bytes = text == nullptr ? std::nullopt : text::from_hex(json::view(*text));
  if (bytes && bytes->size() == kBytes) return ims::Sha256{text::hex(*bytes)};
  return error(Fault::invalid_body, fmt::format("{} must be a SHA-256 of 64 hex digits", field),
               std::string(field));
}

Result<ims::Number> Wire<ims::Number>::read(json::Value const& value, std::string_view) {
  auto const* text = value.if_string();
  if (text == nullptr) return ims::Number{json::whole_number(value)};
  return ims::Number{text::parse_int(json::view(*text))};
}

} // namespace vitrine::api
