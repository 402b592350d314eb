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

} // namespace vitrine::jobs
