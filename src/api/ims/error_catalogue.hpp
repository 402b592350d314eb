// The codes of the image management extension: one list, and which of them tells a failure of ours.
#pragma once

#include "base/error.hpp"
#include "base/result.hpp"

#include <span>
#include <string_view>

namespace vitrine::api::ims {

struct CatalogueEntry {
  std::string_view code; ///< IMG.0144
  int http;              ///< the status it comes with, unless the failure has its own
  std::string_view message;
};

/// All codes, in order.
std::span<CatalogueEntry const> catalogue();
/// The entry of a code that is in the list; another one is a bug.
CatalogueEntry const& entry(std::string_view code);
/// The entry that tells a failure; IMG.0061 for what the list has no word for.
CatalogueEntry const& entry(Fault fault);

} // namespace vitrine::api::ims
