#include "net/client/client.hpp"

#include "base/text.hpp"
#include "net/client/exchange.hpp"

#include <algorithm>
#include <mutex>

namespace vitrine::net::client {

std::optional<std::string_view> Response::header(std::string_view name) const noexcept {
  auto const found = std::ranges::find_if(
      headers, [&](Header const& header) { return text::equals_ignoring_case(header.name, name); });
  return found == headers.end() ? std::nullopt : std::optional<std::string_view>(found->value);
}

/// Idle handles, the one used last on top: its connection is the least likely to have been closed.
class Client::Handles {
public:
  explicit Handles(std::size_t idle_max) : idle_max_(idle_max) {
    static auto const ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    CHECK(ready == CURLE_OK);
  }

  Handle take() {
    {
      std::lock_guard const lock(mutex_);
      if (!idle_.empty()) {
        auto handle = std::move(idle_.back());
        idle_.pop_back();
        return handle;
      }
    }
    Handle made(curl_easy_init());
    CHECK(made != nullptr);
    return made;
  }

  void give_back(Handle handle) {
    std::lock_guard const lock(mutex_);
    if (idle_.size() < idle_max_) idle_.push_back(std::move(handle));
  }

private:
  std::size_t const idle_max_;
  std::mutex mutex_;
  std::vector<Handle> idle_;
};

Client::Client(Options options)
    : options_(std::move(options)),
      handles_(std::make_unique<Handles>(options_.idle_connections_max)) {}

Client::~Client() = default;

Result<Response> Client::send(Request const& request) {
  auto handle = handles_->take();
  auto answer = Exchange(handle.get(), options_, request).run();
  // One whose exchange failed has no connection to keep, and may refuse options from then on.
  if (answer) handles_->give_back(std::move(handle));
  return answer;
}

} // namespace vitrine::net::client
