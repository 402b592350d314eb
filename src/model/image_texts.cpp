#include "model/image_texts.hpp"

#include "base/ids.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"

#include <cstdlib>
#include <fmt/format.h>
#include <memory>
#include <string>
#include <utf8proc.h>

namespace vitrine::model {
namespace {

// Marks belong to the letter before them, as vowels do in many scripts.
bool is_of_word(utf8proc_int32_t character) {
  switch (utf8proc_category(character)) {
  case UTF8PROC_CATEGORY_LU:
  case UTF8PROC_CATEGORY_LL:
  case UTF8PROC_CATEGORY_LT:
  case UTF8PROC_CATEGORY_LM:
  case UTF8PROC_CATEGORY_LO:
  case UTF8PROC_CATEGORY_MN:
  case UTF8PROC_CATEGORY_MC:
  case UTF8PROC_CATEGORY_ND: return true;
  default: return false;
  }
}

// Joiners shape letters of some scripts and are part of their words.
bool may_stand_in_name(utf8proc_int32_t character) {
  constexpr utf8proc_int32_t kNonJoiner = 0x200C;
  constexpr utf8proc_int32_t kJoiner = 0x200D;
  return character == '-' || character == '.' || character == '_' || character == ' ' ||
         character == kNonJoiner || character == kJoiner || is_of_word(character);
}

bool is_name(std::string_view name) {
  if (name.starts_with(' ') || name.ends_with(' ')) return false;
  auto const* at = reinterpret_cast<utf8proc_uint8_t const*>(name.data());
  auto left = static_cast<utf8proc_ssize_t>(name.size());
  while (left > 0) {
    utf8proc_int32_t character = -1;
    auto const size = utf8proc_iterate(at, left, &character);
    if (size <= 0 || !may_stand_in_name(character)) return false;
    at += size;
    left -= size;
  }
  return true;
}

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

} // namespace

Result<> check_image_name(std::string_view name) {
  if (name.empty()) return error(Fault::name_missing, "a name is needed");
  if (text::length_utf8(name) > limits::ims_name_characters) {
    return error(Fault::name_too_long,
                 fmt::format("at most {} characters are allowed", limits::ims_name_characters));
  }
  if (is_name(name)) return {};
  return error(Fault::name_form,
               "letters, digits, - . _ and spaces between them are allowed, in any script");
}

std::string data_disk_name(std::string_view name, std::size_t number) {
  auto const suffix = fmt::format("-data{}", number);
  std::string_view front = name;
  while (text::length_utf8(front) + suffix.size() > limits::ims_name_characters)
    front.remove_suffix(1); // a character counts by its first byte
  return std::string(front) + suffix;
}

Result<> check_description(std::string_view text) {
  if (text::length_utf8(text) > limits::ims_description_characters) {
    return error(Fault::description_too_long, fmt::format("at most {} characters are allowed",
                                                          limits::ims_description_characters));
  }
  if (text.find_first_of("\r\n<>") == std::string_view::npos) return {};
  return error(Fault::description_form, "line ends, < and > are not allowed");
}

Result<> check_enterprise_project(std::string_view id) {
  if (id.empty() || id == "0" || is_uuid(id)) return {};
  return error(Fault::enterprise_project_form, "0 or a UUID is needed");
}

std::string without_case(std::string_view text) {
  utf8proc_uint8_t* mapped = nullptr;
  auto const size = utf8proc_map(
      reinterpret_cast<utf8proc_uint8_t const*>(text.data()),
      static_cast<utf8proc_ssize_t>(text.size()), &mapped,
      static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD));
  std::unique_ptr<utf8proc_uint8_t, Free> const owned(mapped);
  CHECK(size >= 0); // names are UTF-8
  return {reinterpret_cast<char const*>(mapped), static_cast<std::size_t>(size)};
}

} // namespace vitrine::model
