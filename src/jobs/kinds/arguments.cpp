#include "jobs/kinds/arguments.hpp"

namespace vitrine::jobs {

Result<Arguments> Arguments::parse(std::string_view text) {
  auto value = json::parse(text);
  auto* object = value ? value->if_object() : nullptr;
  if (object == nullptr) return error(Fault::internal);
  return Arguments(std::move(*object));
}

Result<std::string> Arguments::text(std::string_view name) const {
  auto const* value = object_.if_contains(name);
  auto const* text = value == nullptr ? nullptr : value->if_string();
  if (text == nullptr) return error(Fault::internal);
  return std::string(json::view(*text));
}

Result<std::int64_t> Arguments::integer(std::string_view name) const {
  auto const* value = object_.if_contains(name);
  auto const number = value == nullptr ? std::nullopt : json::whole_number(*value);
  if (!number) return error(Fault::internal);
  return *number;
}

Result<bool> Arguments::flag(std::string_view name) const {
  auto const* value = object_.if_contains(name);
  if (value == nullptr || !value->is_bool()) return error(Fault::internal);
  return value->get_bool();
}

} // namespace vitrine::jobs
