// Image data whose sender is known only once all of it is there.
#pragma once

#include "api/kit/spools.hpp"
#include "base/blocks.hpp"
#include "base/hash.hpp"
#include "net/message.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <variant>

namespace vitrine::api {

/// Keeps the bytes in a spool. When all have come the request is judged with their SHA-256, and if
/// it is good they go into its sink as if they came from the network only now: before that nothing
/// of the request is done or told.
class SpooledData final : public net::BodySink {
public:
  using Begun = std::variant<net::Reply, std::unique_ptr<net::BodySink>>;
  /// What becomes of the request.
  struct Request {
    /// Judges it, with the SHA-256 of its data in hex.
    std::function<Begun(std::string)> begin;
    /// The answer to data that cannot be kept; `status` 0: as the failure says.
    std::function<net::Reply(Error const&, int status)> refuse;
    std::string id; ///< for the log
  };

  /// `blocks` must outlive it.
  SpooledData(std::unique_ptr<Spool> spool, std::chrono::seconds time, BlockPool& blocks,
              Request request)
      : spool_(std::move(spool)), time_(time), blocks_(blocks), request_(std::move(request)) {}

  Block block() override { return blocks_.take(); }
  Result<> accept(Block bytes) override;
  [[nodiscard]] Result<std::chrono::steady_clock::duration> time_left() const override;
  Result<bool> go_on() override;
  [[nodiscard]] bool asks_others() const override { return !sink_; } // who sends the data
  net::Reply finish() override;
  net::Reply refuse(Error const& failure) override;
  void abandon(Error const& failure) override;

private:
  void tell_of_end(Error const& failure) const;

  std::unique_ptr<Spool> spool_;
  std::chrono::seconds const time_;
  BlockPool& blocks_;
  Request const request_;
  std::chrono::steady_clock::time_point const came_{std::chrono::steady_clock::now()};
  Hash hash_{HashAlgorithm::sha256};
  std::unique_ptr<net::BodySink> sink_; ///< of the request, once it is found good
  std::optional<net::Reply> answer_;    ///< of the request, when it is not
};

} // namespace vitrine::api
