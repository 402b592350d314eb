#include "base/yaml.hpp"

#include <fmt/format.h>
#include <optional>
#include <sstream>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/parser.h>

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

/// Hears what a parser reads, and keeps no more than where its last document began.
class Listener final : public YAML::EventHandler {
public:
  void OnDocumentStart(YAML::Mark const& mark) override { began = mark; }
  void OnDocumentEnd() override {}
  void OnNull(YAML::Mark const&, YAML::anchor_t) override {}
  void OnAlias(YAML::Mark const&, YAML::anchor_t) override {}
  void OnScalar(YAML::Mark const&, std::string const&, YAML::anchor_t,
                std::string const&) override {}
  void OnSequenceStart(YAML::Mark const&, std::string const&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(YAML::Mark const&, std::string const&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

  YAML::Mark began;
};

// Not by YAML::LoadAll: of some broken texts that reads the same document for ever.
std::optional<YAML::Mark> second_document(std::string const& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Listener listener;
  bool const more = parser.HandleNextDocument(listener) && parser.HandleNextDocument(listener);
  return more ? std::optional(listener.began) : std::nullopt;
}

} // namespace

// yaml-cpp throws; this is its adapter.
std::expected<YAML::Node, Refusal> parse(std::string const& text) {
  YAML::Mark const start;
  if (text.size() > kBytesMax)
    return refused(start, fmt::format("longer than {} bytes", kBytesMax));
  try {
    if (auto const mark = second_document(text)) return refused(*mark, "a second document begins");
    auto document = YAML::Load(text);
    if (auto refusal = Measure().too_much(document)) return std::unexpected(std::move(*refusal));
    return document;
  } catch (YAML::Exception const& failure) {
    return refused(failure.mark, failure.msg);
  }
}

} // namespace vitrine::yaml
