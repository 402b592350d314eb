#include "api/documents/forms.hpp"

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "model/image_texts.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace vitrine::api::documents {
namespace {

constexpr std::size_t kDigitsMax = 18; // of a number that surely fits

std::optional<Misfit> misfit_of(Result<> const& checked) {
  if (checked) return std::nullopt;
  return Misfit{checked.error().fault, checked.error().detail};
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.size() <= kDigitsMax && std::ranges::all_of(text, text::is_digit);
}

std::optional<Misfit> misfit_of_size(std::string_view text, std::string_view unit,
                                     std::int64_t most) {
  if (is_digits(text) && text::parse_int(text).value_or(most + 1) <= most) return std::nullopt;
  return Misfit{Fault::memory_or_disk_size,
                fmt::format("a whole number of {} from 0 to {} is needed", unit, most)};
}

std::optional<Misfit> unless(bool fits, Fault fault, std::string_view needed) {
  if (fits) return std::nullopt;
  return Misfit{fault, std::string(needed)};
}

bool are_agents(std::string_view text) {
  return std::ranges::all_of(text::split(text, ','), [](std::string_view agent) {
    return text::trim(agent) == "hss" || text::trim(agent) == "ces";
  });
}

} // namespace

std::string stored_form(Form form, std::string_view text) {
  bool const is_id = (form == Form::enterprise_project || form == Form::key) && is_uuid(text);
  return is_id || form == Form::flag ? text::to_lower(text) : std::string(text);
}

std::optional<Misfit> misfit(Form form, std::string_view text) {
  switch (form) {
  case Form::text:
  case Form::key: return std::nullopt;
  case Form::name: return misfit_of(model::check_image_name(text));
  case Form::description: return misfit_of(model::check_description(text));
  case Form::flag:
    return unless(text::equals_ignoring_case(text, "true") ||
                      text::equals_ignoring_case(text, "false"),
                  Fault::invalid_value, "true or false is needed");
  case Form::digits:
    return unless(is_digits(text), Fault::invalid_value, "a whole number is needed");
  case Form::memory: return misfit_of_size(text, "MiB", limits::memory_mib);
  case Form::disk: return misfit_of_size(text, "GiB", limits::disk_gib);
  case Form::firmware:
    return unless(text == "bios" || text == "uefi", Fault::firmware_type, "bios or uefi is needed");
  case Form::agents: return unless(are_agents(text), Fault::invalid_value, "hss or ces is needed");
  case Form::enterprise_project: return misfit_of(model::check_enterprise_project(text));
  case Form::json: break;
  }
  return unless(json::parse(text).has_value(), Fault::invalid_value, "JSON is needed");
}

} // namespace vitrine::api::documents
