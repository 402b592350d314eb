#include "model/image.hpp"

#include "base/json.hpp"

#include <algorithm>
#include <array>

namespace vitrine::model {
namespace {

constexpr std::array<std::string_view, 9> kStatusNames = {"queued",    "saving",  "uploading",
                                                          "importing", "active",  "deactivated",
                                                          "killed",    "deleted", "pending_delete"};
constexpr std::array<std::string_view, 4> kVisibilityNames = {"private", "shared", "community",
                                                              "public"};

template <class Enum, std::size_t N>
std::optional<Enum> named(std::array<std::string_view, N> const& names, std::string_view name) {
  auto const at = std::ranges::find(names, name);
  if (at == names.end()) return std::nullopt;
  return static_cast<Enum>(at - names.begin());
}

} // namespace

std::string_view name_of(ImageStatus status) noexcept {
  return kStatusNames[static_cast<std::size_t>(status)];
}
std::string_view name_of(Visibility visibility) noexcept {
  return kVisibilityNames[static_cast<std::size_t>(visibility)];
}
std::optional<ImageStatus> status_named(std::string_view name) noexcept {
  return named<ImageStatus>(kStatusNames, name);
}
std::optional<Visibility> visibility_named(std::string_view name) noexcept {
  return named<Visibility>(kVisibilityNames, name);
}

Properties Image::properties() const {
  Properties out;
  auto const parsed = json::parse(properties_json);
  CHECK(parsed);
  for (auto const& [key, value] : parsed->as_object()) {
    out.emplace(std::string_view(key.data(), key.size()), json::view(value.as_string()));
  }
  return out;
}

void Image::set_properties(Properties const& properties) {
  properties_json.clear();
  json::Writer writer(properties_json);
  writer.begin_object();
  for (auto const& [key, value] : properties)
    writer.field(key, std::string_view(value));
  writer.end_object();
}

std::vector<std::string> Image::tags() const {
  std::vector<std::string> out;
  auto const parsed = json::parse(tags_json);
  CHECK(parsed);
  for (auto const& tag : parsed->as_array())
    out.emplace_back(json::view(tag.as_string()));
  return out;
}

void Image::set_tags(std::vector<std::string> const& tags) {
  tags_json.clear();
  json::Writer writer(tags_json);
  writer.begin_array();
  for (auto const& tag : tags)
    writer.string(tag);
  writer.end_array();
}

bool Image::is_shared_for(ProjectId const& viewer) const {
  return visibility == Visibility::shared && (owner != viewer || member_count > 0);
}

std::optional<std::string> Image::property(std::string_view wanted) const {
  // Most images lack most properties: look for the key's text before parsing.
  if (properties_json.find(wanted) == std::string::npos) return std::nullopt;
  auto all = properties();
  auto const at = all.find(wanted);
  if (at == all.end()) return std::nullopt;
  return std::move(at->second);
}

} // namespace vitrine::model
