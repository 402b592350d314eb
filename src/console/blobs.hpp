// `vitrine blobs …`: the image data from the command line.
#pragma once

#include "base/result.hpp"
#include "console/place.hpp"
#include "service/blob_check.hpp"

#include <functional>
#include <iosfwd>

namespace CLI {
class App;
}

namespace vitrine::console {

/// What the commands work with.
struct BlobTools {
  /// Compares the rows of a service with its store.
  std::function<Result<service::BlobReport>(Place const& place)> check;
  std::ostream& out;
};

/// Adds the command `blobs` to a program. When the line was parsed and names one of its commands,
/// `chosen` holds the work to do; it stays as it is otherwise.
void add_blob_commands(CLI::App& program, std::function<Result<>()>& chosen, BlobTools tools);

} // namespace vitrine::console
