// Volumes and backups of OpenStack Cinder, volume API 3.1 or later.
#pragma once

#include "cloud/backups.hpp"
#include "cloud/calls.hpp"
#include "cloud/volumes.hpp"

namespace vitrine::cloud {

class Cinder final : public Volumes, public Backups {
public:
  /// Asks nothing yet.
  explicit Cinder(CallOptions const& options) : calls_(options, "block storage", "volume 3.1") {}

  Result<std::optional<Volume>> volume(Rights const& rights, std::string_view id) override;
  Result<std::optional<std::string>> snapshot(Rights const& rights, std::string_view id) override;
  Result<std::optional<std::string>> volume_named(Rights const& rights,
                                                  std::string_view name) override;
  Result<std::optional<std::string>> snapshot_named(Rights const& rights,
                                                    std::string_view name) override;
  Result<std::string> start_snapshot(Rights const& rights, std::string_view volume,
                                     std::string_view name) override;
  Result<std::string> start_volume(Rights const& rights, std::string_view snapshot,
                                   std::string_view name) override;
  Result<ImageId> start_image(Rights const& rights, std::string_view volume,
                              std::string_view name) override;
  Result<bool> remove_volume(Rights const& rights, std::string_view id) override;
  Result<bool> remove_snapshot(Rights const& rights, std::string_view id) override;

  Result<std::optional<Backup>> backup(Rights const& rights, std::string_view id) override;
  Result<std::optional<std::string>> backup_named(Rights const& rights,
                                                  std::string_view name) override;
  Result<std::string> start_backup(Rights const& rights, std::string_view volume,
                                   std::string_view name) override;
  Result<std::string> start_restore(Rights const& rights, std::string_view backup,
                                    std::string_view name) override;
  Result<bool> remove_backup(Rights const& rights, std::string_view id) override;

private:
  Result<std::optional<json::Object>> show(Rights const& rights, std::string_view list,
                                           std::string_view one, std::string_view id);
  Result<std::optional<std::string>> find(Rights const& rights, std::string_view list,
                                          std::string_view name);
  Result<std::string> post(Rights const& rights, std::string path, std::string body,
                           std::string_view kind, std::string_view id);
  Result<bool> remove(Rights const& rights, std::string_view list, std::string_view id);

  Calls calls_;
};

} // namespace vitrine::cloud
