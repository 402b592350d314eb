// What the deprecated API calls differ in (contract: ims-api 10.4).
#pragma once

#include "base/clock.hpp"

#include <string>

namespace vitrine::api::image {

/// Without a zone, in microseconds: 2025-03-04T05:06:07.000000.
inline std::string time_v1(Time time) {
  auto text = format_microseconds(time);
  text.pop_back();
  return text;
}

} // namespace vitrine::api::image
