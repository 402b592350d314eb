// Where a conversion inside this folder puts its bytes, and whom it tells how far it is.
#pragma once

#include "base/result.hpp"
#include "formats/reader.hpp"

#include <cstdint>
#include <functional>

namespace vitrine::formats {

/// Takes a file from its start to its end. Not thread-safe. Errors are the sink's own and end the
/// conversion.
class ByteSink {
public:
  virtual ~ByteSink() = default;
  virtual Result<> write(Bytes bytes) = 0;
  /// So many zero bytes; may leave a hole.
  virtual Result<> zeros(std::uint64_t count) = 0;
};

/// Told how far a conversion is, 0 to 100, several times a second, on its own thread. An error ends
/// the conversion and is what it returns: this is how it is cancelled.
using Progress = std::function<Result<>(int percent)>;

} // namespace vitrine::formats
