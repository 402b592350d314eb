#include "api/kit/endpoint.hpp"

#include <array>

namespace vitrine::api {

std::string_view name_of(Verb verb) noexcept {
  static constexpr std::array<std::string_view, 6> names = {"GET", "HEAD",  "POST",
                                                            "PUT", "PATCH", "DELETE"};
  return names[static_cast<std::size_t>(verb)];
}

Endpoint plain_endpoint(Spec spec, Endpoint::Run run, Endpoint::RunLater run_later) {
  return {.spec = std::move(spec),
          .fields = {},
          .run = std::move(run),
          .begin = {},
          .run_later = std::move(run_later)};
}

Endpoint upload_endpoint(Spec spec, Endpoint::Begin begin) {
  return {.spec = std::move(spec), .fields = {}, .run = {}, .begin = std::move(begin)};
}

} // namespace vitrine::api
