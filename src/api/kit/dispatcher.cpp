#include "api/kit/dispatcher.hpp"

#include "api/kit/signed_data.hpp"
#include "api/kit/spooled_data.hpp"
#include "base/clock.hpp"
#include "base/network.hpp"
#include "base/text.hpp"
#include "identity/authenticator.hpp"
#include "identity/signed_requests.hpp"
#include "model/image_stores.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <fmt/format.h>
#include <type_traits>

namespace vitrine::api {
namespace {

constexpr std::string_view kRequestId = "X-Openstack-Request-Id";
// Of two values a proxy may have judged the other one, so none of them is taken.
constexpr std::array<std::string_view, 13> kSingleHeaders = {
    "X-Auth-Token",       "X-Service-Token",  "X-Subject-Token",
    "Content-Type",       "Content-Encoding", "Range",
    "Content-Range",      "Authorization",    "X-OpenStack-Image-Size",
    "X-Image-Meta-Store", "X-Sdk-Date",       identity::kPayloadHeader,
    "X-Project-Id"};

std::string_view path_of(net::RequestHead const& head) {
  return std::string_view(head.target).substr(0, head.target.find('?'));
}

std::string_view query_of(net::RequestHead const& head) {
  auto const at = head.target.find('?');
  return at == std::string::npos ? std::string_view{}
                                 : std::string_view(head.target).substr(at + 1);
}

bool is_safe_id(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return text::is_alnum(c) || c == '-' || c == '_' || c == '.' || c == ':';
  });
}

// Taken over from the client when it is usable, so that one id follows a request through all
// services (contract: glance-v2 1.1).
std::string request_id_of(net::RequestHead const* head) {
  auto const given = head == nullptr ? std::nullopt : head->header(kRequestId);
  if (!given || !is_safe_id(*given) || given->size() > limits::request_id_characters) {
    return "req-" + new_uuid();
  }
  return given->starts_with("req-") ? std::string(*given) : "req-" + std::string(*given);
}

// `GET /images` with this media type means version 2 (contract: glance-v2 1.1).
std::string versioned_path(net::RequestHead const& head) {
  std::string path(path_of(head));
  auto const accept = head.header("Accept");
  if (accept && accept->starts_with("application/vnd.openstack.images-v2") &&
      !path.starts_with("/v")) {
    path.insert(0, "/v2");
  }
  return path;
}

std::string_view name_of(net::Refusal refusal) {
  using enum net::Refusal;
  switch (refusal) {
  case malformed: return "malformed";
  case target_too_long: return "target_too_long";
  case head_too_large: return "head_too_large";
  case length_required: return "length_required";
  case body_too_large: return "body_too_large";
  case expectation_failed: return "expectation_failed";
  case overloaded: return "overloaded";
  case timed_out: return "timed_out";
  case internal: break;
  }
  return "internal";
}

} // namespace

// One request on its way through; lives on the stack of the thread that serves it, or until the
// answer that comes later.
class Dispatcher::Exchange : public std::enable_shared_from_this<Exchange> {
public:
  Exchange(Dispatcher& dispatcher, net::RequestHead const& head, identity::Arrival arrival,
           std::string_view body = {})
      : dispatcher_(dispatcher), head_(head), arrival_(arrival),
        began_(std::chrono::steady_clock::now()), context_{.head = head,
                                                           .path = {},
                                                           .query = {},
                                                           .caller = {},
                                                           .base_url = dispatcher.origin_.of(head),
                                                           .body = body},
        request_id_(request_id_of(&head)) {}

  // The answer when the request ends before its endpoint.
  std::optional<Reply> refused_early() {
    auto refused = prepare();
    if (refused) refused = finish(std::move(*refused));
    return refused;
  }

  Reply serve() {
    if (auto refused = refused_early()) return std::move(*refused);
    return guarded([this] {
      auto answered = endpoint_->run(context_, dispatcher_.services_);
      return finish(answered ? std::move(*answered) : failure(answered.error()));
    });
  }

  // What ends before its endpoint, and whose caller is not known from memory, is not for here.
  bool serve_later(OnAnswer done) {
    auto const token = head_.header("X-Auth-Token");
    if (!token) return false;
    known_ = dispatcher_.services_.authenticator.known_caller(
        {.token = *token, .service_token = head_.header("X-Service-Token").value_or("")});
    if (!known_ || prepare()) return false;
    return endpoint_->run_later(
        context_, dispatcher_.services_,
        [self = shared_from_this(), done = std::move(done)](auto answer) {
          done([self, answer = std::move(answer)]() mutable { return self->answer_later(answer); });
        });
  }

  using Begun = std::variant<Reply, std::unique_ptr<net::BodySink>>;
  Begun begin();

private:
  // Nothing when it is worth another try.
  std::optional<Reply> answer_later(std::move_only_function<Result<Reply>()>& answer) {
    return guarded([&]() -> std::optional<Reply> {
      auto answered = answer();
      if (!answered && answered.error().kind() == Kind::unavailable) return std::nullopt;
      return finish(answered ? std::move(*answered) : failure(answered.error()));
    });
  }

  // What escapes an endpoint is a bug: told in the log by the request id that the client gets too.
  template <class Run>
  std::invoke_result_t<Run> guarded(Run&& run) {
    try {
      return run();
    } catch (std::exception const& bug) {
      ops::log_error("request.threw", {{"endpoint", endpoint_->spec.name},
                                       {"request_id", request_id_},
                                       {"detail", bug.what()}});
      return finish(failure(error(Fault::internal)));
    }
  }

  // Everything before the endpoint; an answer when the request ends here.
  std::optional<Reply> prepare() {
    if (auto const given = head_.header(kRequestId);
        given && given->size() > limits::request_id_characters) {
      return refuse_with(
          dispatcher_.family_of(head_),
          error(Fault::too_large, fmt::format("{} is longer than {} characters.", kRequestId,
                                              limits::request_id_characters)),
          431); // the intent of Glance (contract: glance-v2 1.1)
    }
    auto found = dispatcher_.router_.find(head_.method, versioned_path(head_));
    if (auto const* miss = std::get_if<Miss>(&found)) return missed(*miss);
    auto& match = std::get<Match>(found);
    index_ = match.endpoint;
    endpoint_ = &dispatcher_.endpoints_[index_];
    context_.path = std::move(match.path);
    if (auto const failed = admit(); !failed) return failure(failed.error());
    return std::nullopt;
  }

  [[nodiscard]] Result<> check_headers() const {
    for (auto const name : kSingleHeaders) {
      auto const is_named = [&](net::Header const& header) {
        return text::equals_ignoring_case(header.name, name);
      };
      if (std::ranges::count_if(head_.headers, is_named) > 1) {
        return error(Fault::invalid_value, fmt::format("There is more than one {}.", name));
      }
    }
    return {};
  }

  // Who asks, policy, query, body: in the order of the contract (ims-api 2.1).
  Result<> admit() {
    auto const& spec = endpoint_->spec;
    TRY(check_headers());
    if (spec.guard != Guard::open) TRY(authenticate(spec));
    if (!unproven_key_.empty()) return {}; // nothing else is told before the data has come
    context_.caller.request_id = request_id_;
    context_.caller.address = dispatcher_.origin_.client_of(head_);
    if (auto const& action = dispatcher_.actions_[index_];
        action && spec.guard == Guard::token_and_action) {
      TRY(dispatcher_.services_.access.require(*action, context_.caller));
    }
    if (spec.family->check_path != nullptr) TRY(spec.family->check_path(context_));
    context_.query = TRY(Query::parse(query_of(head_)));
    // Told by the head already, before a body takes its share of what is kept for all.
    bool const brings_body = !context_.body.empty() || head_.content_length.value_or(0) > 0;
    if (spec.family->refuses_needless_body && !endpoint_->has_body() && endpoint_->run &&
        (brings_body || head_.chunked)) {
      return error(Fault::invalid_body, "A body is not expected with this request.");
    }
    return {};
  }

  Result<> authenticate(Spec const& spec) {
    auto const caller = TRY(shown_caller());
    if (!caller) return {};
    if (caller->project.empty() && spec.guard != Guard::any_token) {
      return error(Fault::unauthenticated, "The token is not scoped to a project.");
    }
    context_.caller = *caller;
    has_caller_ = true;
    return {};
  }

  // Null for one who is proven only by data that is still to come.
  Result<std::shared_ptr<model::Caller const>> shown_caller() {
    if (known_) return known_;
    auto const token = head_.header("X-Auth-Token");
    if (!token && identity::shows_signature(head_)) {
      auto signer = TRY(dispatcher_.services_.signed_requests.signer_of(
          {.head = head_,
           .body = context_.body,
           .arrival = arrival_,
           .address = dispatcher_.origin_.client_of(head_),
           .is_read = endpoint_->is_read(),
           .arrived_data = arrived_data_ ? &*arrived_data_ : nullptr}));
      context_.by_access_key = true;
      unproven_key_ = std::move(signer.access_key);
      data_sha256_ = std::move(signer.data_sha256);
      return std::move(signer.caller);
    }
    identity::Shown const shown{.token = token.value_or(""),
                                .service_token = head_.header("X-Service-Token").value_or("")};
    return dispatcher_.services_.authenticator.caller_of(shown);
  }

  Reply missed(Miss const& miss) {
    switch (miss.why) {
    case Miss::Why::unknown_version: return dispatcher_.versions_(context_, 300);
    case Miss::Why::malformed:
      return refuse_with(*miss.family, error(Fault::not_found, "The path is malformed."));
    case Miss::Why::no_such_path: return refuse_with(*miss.family, error(Fault::not_found));
    case Miss::Why::wrong_method: break;
    }
    auto reply = miss.family->method_not_allowed(error_context());
    reply.headers.push_back({"Allow", miss.allow});
    return reply;
  }

  [[nodiscard]] ErrorContext error_context(int status = 0) const {
    return {.head = &head_,
            .auth_url = auth_url_,
            .action = endpoint_ == nullptr ? std::string_view{} : endpoint_->spec.action,
            .status = status};
  }

  // `status` 0: as the failure says.
  Reply refuse_with(Family const& family, Error const& failed, int status = 0) {
    if (failed.kind() == Kind::unauthenticated) {
      auth_url_ = dispatcher_.services_.authenticator.auth_url(context_.base_url);
    }
    return family.refuse(failed, error_context(status));
  }

  Reply failure(Error const& failed) { return refuse_with(*endpoint_->spec.family, failed); }

  Reply finish(Reply reply) {
    reply.headers.push_back({std::string(kRequestId), request_id_});
    reply.headers.push_back({"X-Request-Id", request_id_});
    if (dispatcher_.observer_) {
      auto const took = std::chrono::steady_clock::now() - began_;
      dispatcher_.observer_(
          {.endpoint = endpoint_,
           .endpoint_index = index_,
           .head = head_,
           .caller = has_caller_ ? &context_.caller : nullptr,
           .request_id = request_id_,
           .status = reply.status,
           .microseconds = std::chrono::duration_cast<std::chrono::microseconds>(took).count()});
    }
    return reply;
  }

  Result<std::unique_ptr<net::BodySink>> spool();

  class Kept;
  class Upload;

  Dispatcher& dispatcher_;
  net::RequestHead const& head_;
  identity::Arrival const arrival_;
  std::chrono::steady_clock::time_point began_;
  Context context_;
  std::string request_id_;
  std::string auth_url_;
  std::shared_ptr<model::Caller const> known_; ///< before it was asked for
  std::string data_sha256_;                    ///< that signed image data must have; empty: none
  std::string unproven_key_; ///< of a caller whom only the data can prove; empty: no such one
  std::optional<identity::ArrivedData> arrived_data_;
  Endpoint const* endpoint_{nullptr};
  std::size_t index_{0};
  bool has_caller_{false};
};

// An exchange that goes on while the body comes: the session's own head does not outlive that.
class Dispatcher::Exchange::Kept {
public:
  explicit Kept(Exchange const& of)
      : head_(of.head_), exchange(of.dispatcher_, head_, identity::Arrival::streaming) {
    exchange.endpoint_ = of.endpoint_;
    exchange.index_ = of.index_;
    exchange.request_id_ = of.request_id_;
    exchange.began_ = of.began_;
    exchange.context_.caller = of.context_.caller;
    exchange.has_caller_ = of.has_caller_;
  }

private:
  net::RequestHead const head_;

public:
  Exchange exchange;
};

// An upload's sink with the answer dressed like any other: request id, log, metrics.
class Dispatcher::Exchange::Upload final : public net::BodySink {
public:
  Upload(Exchange const& exchange, std::unique_ptr<net::BodySink> sink)
      : kept_(exchange), sink_(std::move(sink)) {}

  Block block() override { return sink_->block(); }
  Result<> accept(Block bytes) override { return sink_->accept(std::move(bytes)); }
  Reply finish() override { return kept_.exchange.finish(sink_->finish()); }
  Reply refuse(Error const& failure) override {
    return kept_.exchange.finish(sink_->refuse(failure));
  }
  void abandon(Error const& failure) override { sink_->abandon(failure); }

private:
  Kept kept_;
  std::unique_ptr<net::BodySink> sink_;
};

Dispatcher::Exchange::Begun Dispatcher::Exchange::begin() {
  if (auto refused = refused_early()) return std::move(*refused);
  return guarded([this]() -> Begun {
    if (!unproven_key_.empty()) {
      auto spooled = spool();
      if (!spooled) return finish(failure(spooled.error()));
      return std::move(*spooled);
    }
    auto sink = endpoint_->begin(context_, dispatcher_.services_);
    if (!sink) return finish(failure(sink.error()));
    if (!data_sha256_.empty()) {
      *sink = std::make_unique<SignedData>(std::move(*sink), data_sha256_);
    }
    return std::make_unique<Upload>(*this, std::move(*sink));
  });
}

// The data waits in a spool; then the request begins anew, with the hash that proves who sends it.
Result<std::unique_ptr<net::BodySink>> Dispatcher::Exchange::spool() {
  auto& spools = dispatcher_.services_.spools;
  // Who knows the key of somebody elsewhere does not take the share of its owner.
  SpoolHolder const holder{unproven_key_, network_of(dispatcher_.origin_.client_of(head_))};
  auto file = TRY(spools.begin(holder, head_.content_length));
  auto kept = std::make_shared<Kept>(*this);
  auto const came = dispatcher_.services_.clock.now();
  auto begin = [kept, came](std::string sha256) {
    kept->exchange.arrived_data_ = {.sha256 = std::move(sha256), .head_came = came};
    return kept->exchange.begin();
  };
  auto refuse = [kept](Error const& failure, int status) {
    auto& exchange = kept->exchange;
    return exchange.finish(exchange.refuse_with(*exchange.endpoint_->spec.family, failure, status));
  };
  return std::make_unique<SpooledData>(std::move(file), spools.time(), dispatcher_.spooled_blocks_,
                                       SpooledData::Request{.begin = std::move(begin),
                                                            .refuse = std::move(refuse),
                                                            .id = request_id_});
}

Dispatcher::Dispatcher(std::vector<Endpoint> endpoints, Services& services, Origin const& origin,
                       std::function<Reply(Context&, int)> versions, Observer observer)
    : endpoints_(std::move(endpoints)),
      router_(endpoints_, offered_versions(services.image_stores.several())), services_(services),
      origin_(origin), versions_(std::move(versions)), observer_(std::move(observer)),
      reads_are_quick_(services.config.database.url.empty() && !services.authenticator.waits()),
      reads_may_wait_(!services.config.database.url.empty()) {
  for (auto const& endpoint : endpoints_) {
    auto const& action = endpoint.spec.action;
    actions_.push_back(action.empty() ? std::nullopt
                                      : std::optional(services.access.action(action)));
  }
}

net::Route Dispatcher::route(net::RequestHead const& head) const noexcept {
  auto const found = router_.find(head.method, versioned_path(head));
  if (auto const* match = std::get_if<Match>(&found)) {
    auto const& endpoint = endpoints_[match->endpoint];
    bool const open = endpoint.spec.guard == Guard::open;
    return {.body_bytes_max = open ? limits::open_body_bytes : limits::json_body_bytes,
            .upload = static_cast<bool>(endpoint.begin),
            .quick = endpoint.spec.quick && (reads_are_quick_ || open),
            .later = endpoint.run_later && reads_may_wait_,
            .slow = endpoint.spec.slow};
  }
  return {.body_bytes_max = limits::json_body_bytes, .upload = false, .quick = true};
}

std::optional<net::Reply> Dispatcher::admit(net::RequestHead const& head) {
  return Exchange(*this, head, identity::Arrival::head_only).refused_early();
}

net::Reply Dispatcher::handle(net::Request& request) {
  return Exchange(*this, request, identity::Arrival::whole, request.body).serve();
}

bool Dispatcher::handle_later(net::Request& request, OnAnswer done) {
  return std::make_shared<Exchange>(*this, request, identity::Arrival::whole, request.body)
      ->serve_later(std::move(done));
}

std::variant<net::Reply, std::unique_ptr<net::BodySink>>
Dispatcher::begin_upload(net::RequestHead const& head) {
  return Exchange(*this, head, identity::Arrival::streaming).begin();
}

// Of the path, whatever the method.
Family const& Dispatcher::family_of(net::RequestHead const& head) const {
  auto const found = router_.find(head.method, versioned_path(head));
  if (auto const* match = std::get_if<Match>(&found)) {
    return *endpoints_[match->endpoint].spec.family;
  }
  auto const* family = std::get<Miss>(found).family;
  return family == nullptr ? image_family : *family;
}

net::Reply Dispatcher::refuse(net::RequestHead const* head, net::Refusal refusal) {
  services_.metrics.counter(ops::Metric::refusals, {name_of(refusal)}).add();
  auto const* family = head == nullptr ? &image_family : &family_of(*head);
  auto const failure = [&]() -> std::pair<Error, int> {
    using enum net::Refusal;
    switch (refusal) {
    case malformed: return {error(Fault::invalid_body, "The request is not valid HTTP."), 400};
    case target_too_long: return {error(Fault::too_large, "The request target is too long."), 414};
    case head_too_large: return {error(Fault::too_large, "The request head is too large."), 431};
    case length_required:
      return {error(Fault::invalid_body, "The length of the body is missing."), 411};
    case body_too_large:
      return {error(Fault::too_large,
                    fmt::format("The body is larger than {} bytes.", route(*head).body_bytes_max)),
              413};
    case expectation_failed: return {error(Fault::invalid_value, "Unknown expectation."), 417};
    case overloaded: return {error(Fault::unavailable, "The server is busy; try again."), 503};
    case timed_out: return {error(Fault::invalid_body, "The request took too long."), 408};
    case internal: break;
    }
    return {error(Fault::internal), 500};
  }();
  auto reply = family->refuse(
      failure.first, {.head = head, .auth_url = {}, .action = {}, .status = failure.second});
  if (refusal == net::Refusal::overloaded) reply.headers.push_back({"Retry-After", "1"});
  auto const id = request_id_of(head);
  reply.headers.push_back({std::string(kRequestId), id});
  reply.headers.push_back({"X-Request-Id", id});
  return reply;
}

} // namespace vitrine::api
