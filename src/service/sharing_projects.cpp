// Bulk sharing: whether the projects of a request can become members, which may be asked elsewhere.
#include "service/sharing.hpp"

#include <algorithm>
#include <future>
#include <mutex>
#include <utility>

namespace vitrine::service {
namespace {

/// The questions of one request, asked by as many threads as the directory takes at once.
class Questions {
public:
  Questions(model::ProjectDirectory& directory, std::span<ProjectId const> projects,
            Stopping const& stopping)
      : directory_(directory), projects_(projects), stopping_(stopping),
        faults_(projects.size(), Fault::identity_unavailable) {}

  Result<ProjectFaults> ask_all() {
    // Waits for the threads when it ends. Where there are none to be had this one asks alone.
    constexpr auto kIfPossible = std::launch::async | std::launch::deferred;
    std::vector<std::future<void>> beside;
    for (std::size_t i = 1; i < std::min(directory_.questions_at_once(), projects_.size()); ++i)
      beside.push_back(std::async(kIfPossible, [this] { ask(); }));
    ask();
    for (auto& thread : beside)
      thread.get();
    if (failed_) return Error(*failed_);
    return std::move(faults_);
  }

private:
  void ask() {
    while (auto const index = next())
      note(*index, directory_.is_usable(projects_[*index]));
  }

  std::optional<std::size_t> next() {
    std::lock_guard const lock(mutex_);
    if (stopping_()) failed_ = error(Fault::unavailable, "the server is stopping");
    if (failed_ || silent_ || asked_ == projects_.size()) return std::nullopt;
    return asked_++;
  }

  void note(std::size_t index, Result<bool> const& usable) {
    std::lock_guard const lock(mutex_);
    if (usable) {
      faults_[index] = *usable ? std::nullopt : std::optional(Fault::project_unknown);
    } else if (usable.error().fault == Fault::identity_unavailable) {
      silent_ = true; // for all that is left: each question would hold the worker as long
    } else {
      failed_ = usable.error();
    }
  }

  model::ProjectDirectory& directory_;
  std::span<ProjectId const> const projects_;
  Stopping const& stopping_;
  std::mutex mutex_; ///< guards what follows; never held over a question
  ProjectFaults faults_;
  std::size_t asked_{0};
  bool silent_{false};
  std::optional<Error> failed_;
};

} // namespace

Result<ProjectFaults> Sharing::check_projects(std::span<ProjectId const> projects,
                                              Stopping const& stopping) {
  return Questions(directory_, projects, stopping).ask_all();
}

} // namespace vitrine::service
