// Through which API an image is looked at.
#pragma once

#include <cstdint>

namespace vitrine::api::documents {

/// Each shows what the one before shows, and more; what a list alone shows no other does.
enum class View : std::uint8_t {
  glance,    ///< the Image API in profile glance
  ims,       ///< the Image API in profile ims
  ims_list,  ///< its list
  extension, ///< /v2/cloudimages, in either profile
};

constexpr View native_view(bool ims_profile) { return ims_profile ? View::ims : View::glance; }
constexpr View native_list(bool ims_profile) { return ims_profile ? View::ims_list : View::glance; }

} // namespace vitrine::api::documents
