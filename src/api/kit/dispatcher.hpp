// The one path of every request: route, request id, token, policy, body, endpoint, answer.
#pragma once

#include "api/kit/endpoint.hpp"
#include "api/kit/origin.hpp"
#include "api/kit/router.hpp"
#include "base/blocks.hpp"
#include "net/message.hpp"
#include "service/access.hpp"

#include <functional>
#include <optional>
#include <vector>

namespace vitrine::api {

/// What is told of each answered request; for the access log and metrics. `endpoint` is null on a
/// miss.
struct Served {
  Endpoint const* endpoint;
  std::size_t endpoint_index;
  net::RequestHead const& head;
  model::Caller const* caller; ///< null without one
  std::string_view request_id;
  int status;
  std::int64_t microseconds;
};

/// Thread-safe.
class Dispatcher final : public net::Handler {
public:
  using Observer = std::function<void(Served const&)>;

  /// `versions` answers paths that name no API. All arguments must outlive the dispatcher.
  Dispatcher(std::vector<Endpoint> endpoints, Services& services, Origin const& origin,
             std::function<Reply(Context&, int)> versions, Observer observer);

  [[nodiscard]] std::vector<Endpoint> const& endpoints() const { return endpoints_; }

  net::Route route(net::RequestHead const& head) const noexcept override;
  std::optional<net::Reply> admit(net::RequestHead const& head) override;
  net::Reply handle(net::Request& request) override;
  bool handle_later(net::Request& request, OnAnswer done) override;
  std::variant<net::Reply, std::unique_ptr<net::BodySink>>
  begin_upload(net::RequestHead const& head) override;
  net::Reply refuse(net::RequestHead const* head, net::Refusal refusal) override;

private:
  class Exchange;

  [[nodiscard]] Family const& family_of(net::RequestHead const& head) const;

  std::vector<Endpoint> const endpoints_;
  Router const router_;
  Services& services_;
  Origin const& origin_;
  std::function<Reply(Context&, int)> versions_;
  Observer observer_;
  bool const reads_are_quick_; ///< database and identity are here, not across a network
  bool const reads_may_wait_;  ///< the database is across a network
  BlockPool spooled_blocks_;   ///< of data on its way into spools
  std::vector<std::optional<service::policy::ActionId>> actions_; ///< by endpoint
};

} // namespace vitrine::api
