// Signatures of writes that were accepted, as rows: each is good once. All run inside a unit of
// work of `Database`.
#pragma once

#include "base/clock.hpp"
#include "store/metadata/connection.hpp"

#include <cstdint>
#include <string_view>

namespace vitrine::store {

class UsedSignatures {
public:
  explicit UsedSignatures(Connection& connection) : connection_(connection) {}

  /// False when it is there already.
  Result<bool> add(std::string_view signature, Time forget_at);
  /// Removes up to `count_max` of those that are no good any more by their time; how many.
  Result<std::int64_t> forget(Time now, std::int64_t count_max);

private:
  Connection& connection_;
};

} // namespace vitrine::store
