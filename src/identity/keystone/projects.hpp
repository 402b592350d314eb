// Which projects exist, as Keystone tells it.
#pragma once

#include "base/clock.hpp"
#include "identity/keystone/calls.hpp"
#include "model/project_directory.hpp"

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace vitrine::identity::keystone {

/// Thread-safe, bounded. A project that was found is believed for `cache_seconds`, 10 s at most;
/// one that was not, or is disabled, for 2 s at most: people make a project and share with it.
class Projects final : public model::ProjectDirectory {
public:
  /// All must outlive it.
  Projects(Calls& calls, Clock const& clock, std::int64_t cache_seconds);

  Result<bool> is_usable(ProjectId const& project) override;
  [[nodiscard]] std::size_t questions_at_once() const noexcept override { return 8; }

private:
  struct Known {
    bool usable;
    Time until;
  };

  Result<bool> look_up(std::string const& path);
  Result<bool> is_enabled_domain(std::string const& domain);
  [[nodiscard]] std::optional<bool> recall(std::string const& path);
  void remember(std::string const& path, bool usable);

  Calls& calls_;
  Clock const& clock_;
  std::int64_t const cache_seconds_;
  std::mutex mutex_;
  std::unordered_map<std::string, Known> known_; ///< by path: projects and domains
};

} // namespace vitrine::identity::keystone
