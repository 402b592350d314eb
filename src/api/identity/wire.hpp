// What the endpoints of /v3 share: who may call, how bodies are read, how answers are written.
#pragma once

#include "api/kit/endpoint.hpp"
#include "base/json.hpp"
#include "identity/builtin/directory.hpp"

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::api::identity {

namespace builtin = vitrine::identity::builtin;

using Run = std::function<Result<Reply>(Context&, Services&, builtin::Directory&)>;

/// An endpoint for callers whom the policy allows `spec.action`, whatever their token's scope. A
/// path parameter `user_id` is the user that the policy's rule may compare with. Without an action
/// any valid token will do.
Endpoint managed(Spec spec, Run run);
/// An endpoint without a token. Both answer 404 while another service is in charge of identity.
Endpoint open(Spec spec, Run run);

/// The object of a body under its one key: {"project": {…}}. Null counts as absent but where
/// Keystone's schemas refuse it: in flags and `some_text`.
class Fields {
public:
  /// Errors: `empty_body`, `invalid_body`.
  static Result<Fields> of(std::string_view body, std::string_view key);
  explicit Fields(json::Object object, std::string where = {})
      : object_(std::move(object)), where_(std::move(where)) {}

  /// All errors: `invalid_body`, naming the field.
  Result<std::optional<std::string>> text(std::string_view name) const;
  Result<std::optional<std::string>> some_text(std::string_view name) const;
  Result<std::string> required_text(std::string_view name) const;
  Result<std::optional<bool>> flag(std::string_view name) const;
  Result<std::optional<Fields>> object(std::string_view name) const;
  Result<Fields> required_object(std::string_view name) const;
  /// Empty when absent.
  Result<json::Array> array(std::string_view name) const;
  [[nodiscard]] json::Value const* find(std::string_view name) const;

private:
  [[nodiscard]] bool is_null(std::string_view name) const;
  [[nodiscard]] Error wrong(std::string_view name, std::string_view what) const;

  json::Object object_;
  std::string where_; ///< for messages: `auth.identity.`
};

/// A filter of a list: the value of a query parameter when it is there.
std::optional<std::string> filter_text(Context const& context, std::string_view name);
/// Keystone's reading: present means true, unless the value is `0` or `false`.
std::optional<bool> filter_flag(Context const& context, std::string_view name);
/// True when one of these parameters is there: a filter by what nothing here has leaves nothing.
bool filters_by_any(Context const& context, std::initializer_list<std::string_view> names);

/// {"<name>": …} with whatever `write` writes as the value.
Reply wrapped(int status, std::string_view name, std::function<void(json::Writer&)> const& write);

/// {"<name>": [ … ], "links": {…}}; `write` writes one element.
template <class T, class Write>
Reply listed(Context const& context, std::string_view name, std::vector<T> const& items,
             Write const& write) {
  Reply reply = json_reply(200, {});
  json::Writer writer(reply.body);
  writer.begin_object().key(name).begin_array();
  for (auto const& item : items)
    write(writer, item);
  writer.end_array().key("links").begin_object();
  writer.field("self", context.base_url + context.head.target);
  writer.null_field("previous").null_field("next").end_object().end_object();
  return reply;
}

/// "links": {"self": …} of a resource below /v3.
void write_self(json::Writer& writer, Context const& context, std::string_view path);

} // namespace vitrine::api::identity
