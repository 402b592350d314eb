// The arguments of a job as they are stored: an object of JSON that its kind has written.
#pragma once

#include "base/json.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace vitrine::jobs {

/// Reads what `to_json` of a kind wrote. Errors of all: `internal`, since nobody else writes it.
class Arguments {
public:
  static Result<Arguments> parse(std::string_view text);

  /// Whether there is a value of that name: what is optional is left out.
  [[nodiscard]] bool has(std::string_view name) const { return object_.contains(name); }
  [[nodiscard]] Result<std::string> text(std::string_view name) const;
  [[nodiscard]] Result<std::int64_t> integer(std::string_view name) const;
  [[nodiscard]] Result<bool> flag(std::string_view name) const;

private:
  explicit Arguments(json::Object object) : object_(std::move(object)) {}

  json::Object object_;
};

} // namespace vitrine::jobs
