// Asks an OpenStack service; what its drivers share.
#pragma once

#include "base/json.hpp"
#include "base/result.hpp"
#include "cloud/rights.hpp"
#include "net/client/client.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace vitrine::cloud {

struct CallOptions {
  std::string ca_file{};            ///< PEM; empty: what the system believes
  std::chrono::seconds timeout{10}; ///< for one request
};

struct Question {
  std::string method{"GET"};
  std::string path{}; ///< below the endpoint, encoded
  std::string body{}; ///< JSON
};

/// What was answered, other than to do it later: 2xx, or what is wrong with the question.
struct Answer {
  int status{0};
  json::Object body;   ///< empty without one
  std::string message; ///< why it was refused, printable, at most 200 bytes

  [[nodiscard]] bool is_good() const noexcept { return status / 100 == 2; }
};

/// Thread-safe.
class Calls {
public:
  /// `service` names it in errors; `version` is the header OpenStack-API-Version.
  Calls(CallOptions const& options, std::string_view service, std::string_view version);

  /// Errors: `cloud_unavailable` when no answer came or the service cannot answer now,
  /// `cloud_failed` when the rights are not enough, or what answers is no such service. Why is in
  /// the log, without path and token.
  Result<Answer> ask(Rights const& rights, Question const& question);
  /// The answer as a failure: `cloud_failed` with the reason.
  [[nodiscard]] Error refused(Answer const& answer) const;

private:
  [[nodiscard]] Error unavailable(std::string_view detail) const;

  std::string const service_;
  std::string const version_;
  net::client::Client client_;
};

// What a document says; absent members read as empty or 0.
json::Object const* object_in(json::Object const& object, std::string_view name);
json::Array const* list_in(json::Object const& object, std::string_view name);
std::string text_in(json::Object const& object, std::string_view name);
std::int64_t number_in(json::Object const& object, std::string_view name);
/// The text of a member of a member.
std::string text_in(json::Object const& object, std::string_view name, std::string_view inner);

} // namespace vitrine::cloud
