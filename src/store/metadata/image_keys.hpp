// The data keys of encrypted images, wrapped. Runs inside a unit of work of `Database`.
#pragma once

#include "store/keys/key_service.hpp"
#include "store/metadata/connection.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vitrine::store {

class ImageKeys {
public:
  explicit ImageKeys(Connection& connection) : connection_(connection) {}

  /// Nothing when the data of the image is not encrypted.
  Result<std::optional<WrappedKey>> find(ImageId const& image);
  /// Of all images.
  Result<std::int64_t> count();
  /// The master keys of all, each with the number of its images.
  Result<std::vector<std::pair<std::string, std::int64_t>>> master_keys();
  /// Of an image that has none.
  Result<> add(ImageId const& image, WrappedKey const& wrapped);

private:
  Connection& connection_;
};

} // namespace vitrine::store
