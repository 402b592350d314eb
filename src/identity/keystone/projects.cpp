#include "identity/keystone/projects.hpp"

#include "base/text.hpp"
#include "identity/keystone/document.hpp"

#include <algorithm>

namespace vitrine::identity::keystone {
namespace {

constexpr std::int64_t kFoundSecondsMax = 10;
constexpr std::int64_t kMissedSecondsMax = 2;
constexpr std::size_t kKnownMax = 10'000;

} // namespace

Projects::Projects(Calls& calls, Clock const& clock, std::int64_t cache_seconds)
    : calls_(calls), clock_(clock), cache_seconds_(cache_seconds) {}

std::optional<bool> Projects::recall(std::string const& path) {
  std::lock_guard const lock(mutex_);
  auto const at = known_.find(path);
  if (at == known_.end() || clock_.now() >= at->second.until) return std::nullopt;
  return at->second.usable;
}

void Projects::remember(std::string const& path, bool usable) {
  auto const now = clock_.now();
  auto const seconds = std::min(cache_seconds_, usable ? kFoundSecondsMax : kMissedSecondsMax);
  std::lock_guard const lock(mutex_);
  if (known_.size() >= kKnownMax) {
    std::erase_if(known_, [&](auto const& item) { return now >= item.second.until; });
    if (known_.size() >= kKnownMax) known_.clear();
  }
  known_.insert_or_assign(path, Known{usable, now + seconds * kMicrosecondsPerSecond});
}

Result<bool> Projects::is_usable(ProjectId const& project) {
  if (project.empty()) return false;
  auto const path = "/projects/" + text::percent_encode(project.text);
  if (auto const known = recall(path)) return *known;
  bool const usable = TRY(look_up(path));
  remember(path, usable);
  return usable;
}

Result<bool> Projects::look_up(std::string const& path) {
  auto const answer = TRY(calls_.get(path));
  if (answer.status == 404) return false;
  auto const project = TRY(Document::of(answer.body, "project"));
  // A domain is a project too, to Keystone; nobody works in it.
  if (!project.flag("enabled", true) || project.flag("is_domain", false)) return false;
  return is_enabled_domain(project.text("domain_id"));
}

Result<bool> Projects::is_enabled_domain(std::string const& domain) {
  auto const path = "/domains/" + text::percent_encode(domain);
  if (auto const known = recall(path)) return *known;
  auto const answer = TRY(calls_.get(path));
  bool enabled = false;
  if (answer.status == 200) {
    auto const found = TRY(Document::of(answer.body, "domain"));
    enabled = found.flag("enabled", true);
  }
  remember(path, enabled);
  return enabled;
}

} // namespace vitrine::identity::keystone
