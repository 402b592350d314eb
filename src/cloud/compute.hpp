// The servers of the users. The port; drivers lie beside it. Every call is made with the rights of
// the caller whom the job is for, and what a call starts goes on elsewhere: its end is asked for.
#pragma once

#include "base/ids.hpp"
#include "base/result.hpp"
#include "cloud/rights.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::cloud {

struct Server {
  std::string status;               ///< ACTIVE, SHUTOFF, ...
  std::string task;                 ///< what is being done with it; empty when nothing
  std::string image;                ///< that its local system disk was made from; empty without one
  std::vector<std::string> volumes; ///< in the order of their devices

  /// The volume it starts from; nothing when its system disk is a local one.
  [[nodiscard]] std::optional<std::string> root_volume() const {
    if (!image.empty() || volumes.empty()) return std::nullopt;
    return volumes.front();
  }
};

/// Thread-safe. Errors of every call beside its own: `cloud_unavailable` when the service does not
/// answer, `cloud_failed` with its reason when it refuses.
class Compute {
public:
  virtual ~Compute() = default;

  /// Error: `server_unknown`, also when the caller may not see it.
  virtual Result<Server> server(Rights const& rights, std::string_view id) = 0;
  /// Starts an image of the local system disk, which the service makes here as the caller, under
  /// that name; its id. Errors: `server_unknown`, `server_busy`.
  virtual Result<ImageId> start_image(Rights const& rights, std::string_view server,
                                      std::string_view name) = 0;
};

} // namespace vitrine::cloud
