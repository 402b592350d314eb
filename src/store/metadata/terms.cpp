#include "store/metadata/terms.hpp"

#include <algorithm>

namespace vitrine::store {
namespace {

// FNV-1a with a final mix: fast, stable, and nothing depends on it being hard to collide.
class Hash {
public:
  Hash& add(std::string_view text) {
    for (char const c : text)
      step(static_cast<std::uint8_t>(c));
    step(0xFF); // never part of UTF-8, so parts cannot run into each other
    return *this;
  }
  [[nodiscard]] std::int64_t value() const {
    std::uint64_t x = state_;
    x = (x ^ (x >> 32U)) * 0x9E3779B97F4A7C15U;
    return static_cast<std::int64_t>(x ^ (x >> 29U));
  }

private:
  void step(std::uint8_t byte) { state_ = (state_ ^ byte) * 0x100000001B3U; }
  std::uint64_t state_{0xCBF29CE484222325U};
};

Hash scoped(TermScope const& scope, std::string_view kind) {
  char const by = static_cast<char>(scope.by);
  Hash hash;
  hash.add({&by, 1}).add(scope.value).add(scope.hidden ? "h" : "").add(kind);
  return hash;
}

} // namespace

std::int64_t property_term(TermScope const& scope, std::string_view name, std::string_view value) {
  return scoped(scope, "p").add(name).add(value).value();
}

std::int64_t tag_term(TermScope const& scope, std::string_view tag) {
  return scoped(scope, "t").add(tag).value();
}

std::vector<std::int64_t> terms_of(model::Image const& image) {
  std::vector<TermScope> const scopes = {
      {TermScope::By::owner, image.owner.text, image.hidden},
      {TermScope::By::visibility, name_of(image.visibility), image.hidden}};
  auto const properties = image.properties();
  auto const tags = image.tags();
  std::vector<std::int64_t> terms;
  terms.reserve(scopes.size() * (properties.size() + tags.size()));
  for (auto const& scope : scopes) {
    for (auto const& [name, value] : properties)
      terms.push_back(property_term(scope, name, value));
    for (auto const& tag : tags)
      terms.push_back(tag_term(scope, tag));
  }
  std::ranges::sort(terms);
  auto const repeated = std::ranges::unique(terms);
  terms.erase(repeated.begin(), repeated.end());
  return terms;
}

} // namespace vitrine::store
