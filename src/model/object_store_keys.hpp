// What users sign requests to an object store with; Keystone answers it.
#pragma once

#include "base/ids.hpp"
#include "base/result.hpp"

#include <optional>
#include <string>

namespace vitrine::model {

struct ObjectStoreKey {
  std::string access;
  std::string secret;
};

/// Thread-safe; may block on the network.
class ObjectStoreKeys {
public:
  virtual ~ObjectStoreKeys() = default;
  /// The first EC2 credential of a user for a project; nothing when they have none. Never to be
  /// stored or logged. Error: `identity_unavailable`.
  virtual Result<std::optional<ObjectStoreKey>> object_store_key_of(UserId const& user,
                                                                    ProjectId const& project) = 0;
};

} // namespace vitrine::model
