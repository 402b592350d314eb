// What an endpoint sees of a request, and how it answers.
#pragma once

#include "api/kit/query.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "model/caller.hpp"
#include "net/message.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::api {

using Reply = net::Reply;

/// A request after routing, authentication and policy. Lives as long as the call.
struct Context {
  net::RequestHead const& head;
  std::vector<std::pair<std::string_view, std::string>> path; ///< parameters by name, decoded
  Query query;
  model::Caller caller;      ///< empty for endpoints that need no token
  std::string base_url;      ///< scheme, host and prefix the client used, no trailing slash
  std::string_view body;     ///< raw; empty without one
  bool by_access_key{false}; ///< the caller signed the request and has no token

  /// A path parameter; null when the endpoint's template has none of that name.
  [[nodiscard]] std::string const* find_param(std::string_view name) const {
    for (auto const& [key, value] : path) {
      if (key == name) return &value;
    }
    return nullptr;
  }
  /// A path parameter of the endpoint's template; a wrong name is a bug.
  [[nodiscard]] std::string const& param(std::string_view name) const {
    if (auto const* value = find_param(name)) return *value;
    check_failed("unknown path parameter", __FILE__, __LINE__);
  }
};

/// A request with its body read into `Body` by the endpoint's declared fields.
template <class Body>
struct Request : Context {
  Body body_value;
};

inline Reply json_reply(int status, std::string body) {
  Reply reply;
  reply.status = status;
  reply.content_type = "application/json";
  reply.body = std::move(body);
  return reply;
}

inline Reply empty_reply(int status) {
  Reply reply;
  reply.status = status;
  return reply;
}

} // namespace vitrine::api
