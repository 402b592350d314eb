// YAML as a bounded tree. A short text may stand for a tree without end, by aliases of aliases, so
// whoever walks what `YAML::Load` gives may never come back.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <yaml-cpp/yaml.h>

namespace vitrine::yaml {

inline constexpr std::size_t kBytesMax = 1U << 20U; ///< of a text, and of its scalars
inline constexpr std::size_t kNodesMax = 100'000; ///< keys too; what an alias stands for, each time
inline constexpr int kDepthMax = 16;              ///< nodes from the root to the deepest

/// Why a text is not taken.
struct Refusal {
  int line; ///< 1 is the first
  std::string reason;
};

/// The one document of a text; null when there is none. Whoever walks it meets `kNodesMax` nodes
/// and `kBytesMax` bytes of scalars at most, also where aliases repeat them. Pure.
std::expected<YAML::Node, Refusal> parse(std::string const& text);

} // namespace vitrine::yaml
