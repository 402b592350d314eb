#include "api/identity/wire.hpp"

#include "base/text.hpp"
#include "service/access.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace vitrine::api::identity {
namespace {

Result<builtin::Directory*> directory_of(Services& services) {
  if (services.directory == nullptr) return error(Fault::not_found);
  return services.directory;
}

Result<> authorize(Context const& context, Services const& services, std::string_view action) {
  if (action.empty()) return {};
  auto const id = services.access.action(action);
  auto const user =
      std::ranges::find(context.path, "user_id", [](auto const& p) { return p.first; });
  if (user == context.path.end()) return services.access.require(id, context.caller);
  return services.access.require(id, context.caller, UserId{user->second});
}

} // namespace

Endpoint managed(Spec spec, Run run) {
  spec.family = &identity_family;
  spec.guard = Guard::any_token;
  auto const action = spec.action;
  return plain_endpoint(
      std::move(spec),
      [action, run = std::move(run)](Context& context, Services& services) -> Result<Reply> {
        auto* directory = TRY(directory_of(services));
        TRY(authorize(context, services, action));
        return run(context, services, *directory);
      });
}

Endpoint open(Spec spec, Run run) {
  spec.family = &identity_family;
  spec.guard = Guard::open;
  return plain_endpoint(
      std::move(spec),
      [run = std::move(run)](Context& context, Services& services) -> Result<Reply> {
        auto* directory = TRY(directory_of(services));
        return run(context, services, *directory);
      });
}

Result<Fields> Fields::of(std::string_view body, std::string_view key) {
  return Fields(TRY(read_object(body))).required_object(key);
}

Error Fields::wrong(std::string_view name, std::string_view what) const {
  auto const field = where_ + std::string(name);
  return error(Fault::invalid_body, fmt::format("{} {}", field, what), field);
}

json::Value const* Fields::find(std::string_view name) const {
  auto const* value = object_.if_contains({name.data(), name.size()});
  return value == nullptr || value->is_null() ? nullptr : value;
}

bool Fields::is_null(std::string_view name) const {
  auto const* value = object_.if_contains({name.data(), name.size()});
  return value != nullptr && value->is_null();
}

Result<std::optional<std::string>> Fields::text(std::string_view name) const {
  auto const* value = find(name);
  if (value == nullptr) return std::optional<std::string>();
  if (!value->is_string()) return wrong(name, "must be a string");
  return std::optional(std::string(json::view(value->get_string())));
}

Result<std::optional<std::string>> Fields::some_text(std::string_view name) const {
  if (is_null(name)) return wrong(name, "must be a string");
  return text(name);
}

Result<std::string> Fields::required_text(std::string_view name) const {
  auto value = TRY(text(name));
  if (!value) return wrong(name, "is a required property");
  return std::move(*value);
}

Result<std::optional<bool>> Fields::flag(std::string_view name) const {
  if (is_null(name)) return wrong(name, "must be true or false");
  auto const* value = find(name);
  if (value == nullptr) return std::optional<bool>();
  if (!value->is_bool()) return wrong(name, "must be true or false");
  return std::optional(value->get_bool());
}

Result<std::optional<Fields>> Fields::object(std::string_view name) const {
  auto const* value = find(name);
  if (value == nullptr) return std::optional<Fields>();
  if (!value->is_object()) return wrong(name, "must be an object");
  return std::optional(Fields(value->get_object(), where_ + std::string(name) + "."));
}

Result<Fields> Fields::required_object(std::string_view name) const {
  auto value = TRY(object(name));
  if (!value) return wrong(name, "is a required property");
  return std::move(*value);
}

Result<json::Array> Fields::array(std::string_view name) const {
  auto const* value = find(name);
  if (value == nullptr) return json::Array();
  if (!value->is_array()) return wrong(name, "must be an array");
  return value->get_array();
}

std::optional<std::string> filter_text(Context const& context, std::string_view name) {
  auto const value = context.query.last(name);
  return value ? std::optional(std::string(*value)) : std::nullopt;
}

std::optional<bool> filter_flag(Context const& context, std::string_view name) {
  auto const value = context.query.last(name);
  if (!value) return std::nullopt;
  return *value != "0" && !text::equals_ignoring_case(*value, "false");
}

bool filters_by_any(Context const& context, std::initializer_list<std::string_view> names) {
  return std::ranges::any_of(names,
                             [&](auto name) { return context.query.last(name).has_value(); });
}

Reply wrapped(int status, std::string_view name, std::function<void(json::Writer&)> const& write) {
  Reply reply = json_reply(status, {});
  json::Writer writer(reply.body);
  writer.begin_object().key(name);
  write(writer);
  writer.end_object();
  return reply;
}

void write_self(json::Writer& writer, Context const& context, std::string_view path) {
  writer.key("links").begin_object();
  writer.field("self", fmt::format("{}/v3/{}", context.base_url, path)).end_object();
}

} // namespace vitrine::api::identity
