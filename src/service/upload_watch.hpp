// Which uploads of other servers go on, and which are dead.
#pragma once

#include "store/metadata/running_uploads.hpp"

#include <unordered_map>
#include <vector>

namespace vitrine::service {

/// A server shows that its uploads go on by changing their rows. Dead is what did not change while
/// somebody looked: times of rows alone do not tell, since no server can change one while the
/// database is away, and after a fail-over its clock may be another. Not thread-safe.
class UploadWatch {
public:
  /// Looks after the one that found a row as it is, all of which find it so.
  static constexpr int kLooksMax = 6;

  /// A look that found these, all there are. Returns the dead ones.
  std::vector<store::RunningUpload> look(std::vector<store::RunningUpload> const& found);
  /// Whether the next look may find dead ones: then somebody must be able to write now.
  [[nodiscard]] bool suspects() const noexcept;
  /// A look failed: nobody may have been able to show anything.
  void forget() { seen_.clear(); }

private:
  struct Seen {
    Time touched_at;
    int looks{0}; ///< that found it unchanged
  };
  std::unordered_map<BlobId, Seen> seen_; ///< as of the last look
};

} // namespace vitrine::service
