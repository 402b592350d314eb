// What an image shows for a property that it does not store (contract: ims-api 3.1, 3.4, 10.1).
#pragma once

#include "api/documents/view.hpp"
#include "model/image.hpp"

#include <array>
#include <optional>
#include <span>
#include <string_view>

namespace vitrine::api::documents {

/// `"__os_bit":` is the key of `__os_bit`.
constexpr std::string_view name_of_key(std::string_view key) {
  return key.substr(1, key.size() - 3);
}

struct Standard {
  std::string_view key; ///< as it stands in JSON
  std::string_view text;
  View from{View::ims}; ///< where it is shown
  /// Shown for images of virtual machines only that store none of `without`.
  bool of_machines{false};
  std::span<std::string_view const> without{};

  [[nodiscard]] constexpr std::string_view name() const { return name_of_key(key); }
};
/// Those that a view shows; none in profile glance.
std::span<Standard const> standards(View view);
/// The one of that name; null when the view shows none.
Standard const* standard_named(std::string_view name, View view);

/// The kind of image that is a virtual machine's, and that every image is unless it says otherwise.
constexpr std::string_view kVirtualMachine = "FusionCompute";

/// Is the standard what an image shows that stores these properties?
bool is_shown(Standard const& standard, model::Properties const& stored);

/// The stored properties of an image as one text, looked into without parsing it.
class StoredText {
public:
  explicit StoredText(std::string_view properties_json) : text_(properties_json) {}

  /// `key` as in `Standard`. The same text within a name or a value has an escaped quote.
  [[nodiscard]] bool has(std::string_view key) const;
  [[nodiscard]] bool shows(Standard const& standard) const;

private:
  std::string_view text_;
};

} // namespace vitrine::api::documents
