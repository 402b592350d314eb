// The volumes of the users, and what is made of them. The port; drivers lie beside it. What is
// started twice under one name is there once: a job that was cut finds what it started.
#pragma once

#include "base/ids.hpp"
#include "base/result.hpp"
#include "cloud/rights.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vitrine::cloud {

struct Volume {
  std::string status; ///< available, in-use, uploading, error, ...
  std::int64_t size_gib{0};
  bool encrypted{false};
  std::string server; ///< that it is attached to; empty when to none
  std::string image;  ///< that it was made from; empty when from none
};

/// Thread-safe. Errors of every call beside its own: `cloud_unavailable` when the service does not
/// answer, `cloud_failed` with its reason when it refuses.
class Volumes {
public:
  virtual ~Volumes() = default;

  /// Nothing when there is none, or the caller may not see it.
  virtual Result<std::optional<Volume>> volume(Rights const& rights, std::string_view id) = 0;
  /// The status of a snapshot, nothing when there is none.
  virtual Result<std::optional<std::string>> snapshot(Rights const& rights,
                                                      std::string_view id) = 0;

  /// One of that name; nothing when there is none.
  virtual Result<std::optional<std::string>> volume_named(Rights const& rights,
                                                          std::string_view name) = 0;
  virtual Result<std::optional<std::string>> snapshot_named(Rights const& rights,
                                                            std::string_view name) = 0;

  /// A snapshot of a volume, which may be in use; its id.
  virtual Result<std::string> start_snapshot(Rights const& rights, std::string_view volume,
                                             std::string_view name) = 0;
  /// A volume with what a snapshot holds; its id.
  virtual Result<std::string> start_volume(Rights const& rights, std::string_view snapshot,
                                           std::string_view name) = 0;
  /// An image of a volume that nobody uses, which the service makes here as the caller, under that
  /// name; its id. Error: `volume_state`.
  virtual Result<ImageId> start_image(Rights const& rights, std::string_view volume,
                                      std::string_view name) = 0;

  /// Begin to remove what a job has made. False when it must wait, for a task or for what depends
  /// on it.
  virtual Result<bool> remove_volume(Rights const& rights, std::string_view id) = 0;
  virtual Result<bool> remove_snapshot(Rights const& rights, std::string_view id) = 0;
};

} // namespace vitrine::cloud
