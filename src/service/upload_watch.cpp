#include "service/upload_watch.hpp"

#include <algorithm>
#include <utility>

namespace vitrine::service {

std::vector<store::RunningUpload>
UploadWatch::look(std::vector<store::RunningUpload> const& found) {
  std::vector<store::RunningUpload> dead;
  auto const before = std::exchange(seen_, {});
  for (auto const& upload : found) {
    auto const known = before.find(upload.id);
    bool const unchanged = known != before.end() && known->second.touched_at == upload.touched_at;
    int const looks = unchanged ? known->second.looks + 1 : 0;
    seen_.emplace(upload.id, Seen{upload.touched_at, looks});
    if (looks >= kLooksMax) dead.push_back(upload);
  }
  return dead;
}

bool UploadWatch::suspects() const noexcept {
  return std::ranges::any_of(seen_,
                             [](auto const& each) { return each.second.looks >= kLooksMax - 1; });
}

} // namespace vitrine::service
