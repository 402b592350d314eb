// The backups of the users' volumes. The port; drivers lie beside it. What is started twice under
// one name is there once: a job that was cut finds what it started.
#pragma once

#include "base/result.hpp"
#include "cloud/rights.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vitrine::cloud {

struct Backup {
  std::string status; ///< creating, available, restoring, error, ...
  std::int64_t size_gib{0};
  std::string volume; ///< that it was made of
};

/// Thread-safe. Errors of every call beside its own: `cloud_unavailable` when the service does not
/// answer, `cloud_failed` with its reason when it refuses.
class Backups {
public:
  virtual ~Backups() = default;

  /// Nothing when there is none, or the caller may not see it.
  virtual Result<std::optional<Backup>> backup(Rights const& rights, std::string_view id) = 0;
  /// One of that name; nothing when there is none.
  virtual Result<std::optional<std::string>> backup_named(Rights const& rights,
                                                          std::string_view name) = 0;
  /// A backup of a volume, which may be in use; its id.
  virtual Result<std::string> start_backup(Rights const& rights, std::string_view volume,
                                           std::string_view name) = 0;
  /// Restores into a new volume of that name; its id.
  virtual Result<std::string> start_restore(Rights const& rights, std::string_view backup,
                                            std::string_view name) = 0;
  /// Begins to remove one. False when it must wait.
  virtual Result<bool> remove_backup(Rights const& rights, std::string_view id) = 0;
};

} // namespace vitrine::cloud
