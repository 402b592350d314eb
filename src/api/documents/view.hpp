// Through which API an image is looked at.
#pragma once

#include <cstdint>

namespace vitrine::api::documents {

/// Each shows what the one before shows, and more.
enum class View : std::uint8_t {
  glance,    ///< the Image API in profile glance
  ims,       ///< the Image API in profile ims
  extension, ///< /v2/cloudimages, in either profile
};

constexpr View native_view(bool ims_profile) { return ims_profile ? View::ims : View::glance; }

} // namespace vitrine::api::documents
