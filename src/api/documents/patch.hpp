// A body of JSON patch as images take it: a subset, in two spellings (contract: glance-v2 3.5,
// ims-api 6.2).
#pragma once

#include "base/json.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace vitrine::api::documents {

struct Operation {
  enum class Kind : std::uint8_t { add, replace, remove };
  Kind kind;
  std::string name; ///< first level of the path, unescaped
  bool is_deep;     ///< the path goes on below `locations`, the one attribute with such paths
  std::optional<json::Value> value;
  bool is_v21; ///< as it is spelled
};

/// How operations are spelled: `{"op": "add", "path": "/x", "value": …}`, or before v2.1
/// `{"add": "/x", "value": …}`; or each as it comes.
enum class Spelling : std::uint8_t { v21, v20, either };

/// Reads one operation; a value may be absent. Error: `invalid_body`.
Result<Operation> read_operation(json::Value const& entry, Spelling spelling);

} // namespace vitrine::api::documents
