// Reads what Keystone answers. Pure; for the files of this folder only.
#pragma once

#include "base/clock.hpp"
#include "base/json.hpp"
#include "identity/caller_rules.hpp"
#include "model/caller.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace vitrine::identity::keystone {

/// One object of a document; absent members read as absent values.
class Document {
public:
  /// The object `name` of a JSON text. Error: `identity_unavailable` when there is none: whoever
  /// answers so is no Keystone.
  static Result<Document> of(std::string_view body, std::string_view name);

  /// A JSON text as it is. Error: `identity_unavailable`.
  static Result<Document> whole(std::string_view body);

  [[nodiscard]] Document object(std::string_view name) const;
  [[nodiscard]] std::string text(std::string_view name) const; ///< empty when absent
  [[nodiscard]] bool flag(std::string_view name, bool otherwise) const;
  [[nodiscard]] json::Array const* list(std::string_view name) const; ///< null when absent
  /// An item of a list as a document of its own.
  static Document item(json::Value const& value);

private:
  explicit Document(json::Value value) : value_(std::move(value)) {}
  [[nodiscard]] json::Value const* find(std::string_view name) const;

  json::Value value_;
};

struct Checked {
  model::Caller caller;
  Time expires_at;
};

/// What `GET /v3/auth/tokens` says of a token. Error: `identity_unavailable`.
Result<Checked> read_token(std::string_view body, CallerRules const& rules);

} // namespace vitrine::identity::keystone
