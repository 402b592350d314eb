#include "base/yaml.hpp"

#include <fmt/format.h>
#include <optional>

namespace vitrine::yaml {
namespace {

std::unexpected<Refusal> refused(YAML::Mark const& mark, std::string reason) {
  return std::unexpected(Refusal{mark.line + 1, std::move(reason)});
}

/// Walks a tree as its readers do, and gives up where it gets out of hand.
class Measure {
public:
  /// The node with which it is too much, if it is.
  std::optional<Refusal> too_much(YAML::Node const& node, int depth = 1) {
    if (depth > kDepthMax) return at(node, fmt::format("nests deeper than {}", kDepthMax));
    if (++nodes_ > kNodesMax) return at(node, fmt::format("more than {} nodes", kNodesMax));
    bytes_ += node.IsScalar() ? node.Scalar().size() : 0;
    if (bytes_ > kBytesMax) return at(node, fmt::format("more than {} bytes in all", kBytesMax));
    for (auto const& item : node) {
      if (node.IsSequence()) {
        if (auto found = too_much(item, depth + 1)) return found;
        continue;
      }
      if (auto found = too_much(item.first, depth + 1)) return found;
      if (auto found = too_much(item.second, depth + 1)) return found;
    }
    return std::nullopt;
  }

private:
  static Refusal at(YAML::Node const& node, std::string reason) {
    return {node.Mark().line + 1, std::move(reason)};
  }

  std::size_t nodes_{0};
  std::size_t bytes_{0};
};

} // namespace

// yaml-cpp throws; this is its adapter.
std::expected<YAML::Node, Refusal> parse(std::string const& text) {
  YAML::Mark const start;
  if (text.size() > kBytesMax)
    return refused(start, fmt::format("longer than {} bytes", kBytesMax));
  try {
    auto const documents = YAML::LoadAll(text);
    if (documents.empty()) return YAML::Node();
    if (documents.size() > 1) return refused(documents[1].Mark(), "a second document begins");
    if (auto refusal = Measure().too_much(documents[0]))
      return std::unexpected(std::move(*refusal));
    return documents[0];
  } catch (YAML::Exception const& failure) {
    return refused(failure.mark, failure.msg);
  }
}

} // namespace vitrine::yaml
