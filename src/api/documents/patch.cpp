#include "api/documents/patch.hpp"

#include <fmt/format.h>
#include <utility>

namespace vitrine::api::documents {
namespace {

using Kind = Operation::Kind;

Error malformed(std::string detail) { return error(Fault::invalid_body, std::move(detail)); }

std::optional<Kind> kind_named(std::string_view name) {
  if (name == "add") return Kind::add;
  if (name == "replace") return Kind::replace;
  if (name == "remove") return Kind::remove;
  return std::nullopt;
}

struct Pointer {
  std::string name;
  bool is_deep;
};

// RFC 6901 with one level: `~1` is a slash, `~0` a tilde.
Result<Pointer> read_pointer(std::string_view pointer) {
  if (!pointer.starts_with('/') || pointer.size() < 2) {
    return malformed(fmt::format("Invalid JSON pointer: '{}'.", pointer));
  }
  std::string out;
  for (std::size_t i = 1; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      if (out == "locations") return Pointer{std::move(out), true};
      return malformed("Only one level of a JSON pointer is allowed.");
    }
    if (pointer[i] != '~') {
      out += pointer[i];
      continue;
    }
    char const next = i + 1 < pointer.size() ? pointer[++i] : '\0';
    if (next != '0' && next != '1') return malformed("Invalid escape in a JSON pointer.");
    out += next == '0' ? '~' : '/';
  }
  return Pointer{std::move(out), false};
}

struct Action {
  Kind kind;
  json::Value const* path; ///< null when there is none
};

Result<Action> read_v21(json::Object const& object) {
  auto const* op = object.if_contains("op");
  if (op == nullptr || !op->is_string()) return malformed("An operation has no 'op'.");
  auto const kind = kind_named(json::view(op->get_string()));
  if (!kind) return malformed("Operations must be one of add, replace and remove.");
  return Action{*kind, object.if_contains("path")};
}

Result<Action> read_v20(json::Object const& object) {
  std::optional<Action> action;
  for (std::string_view const word : {"add", "replace", "remove"}) {
    auto const* path = object.if_contains({word.data(), word.size()});
    if (path == nullptr) continue;
    if (action) return malformed("An operation names more than one action.");
    action = Action{*kind_named(word), path};
  }
  if (!action) return malformed("Operations must be one of add, replace and remove.");
  return *action;
}

} // namespace

Result<Operation> read_operation(json::Value const& entry, Spelling spelling) {
  auto const* object = entry.if_object();
  if (object == nullptr) return malformed("Operations must be JSON objects.");
  bool const v21 =
      spelling == Spelling::either ? object->contains("op") : spelling == Spelling::v21;
  auto const action = TRY(v21 ? read_v21(*object) : read_v20(*object));
  if (action.path == nullptr || !action.path->is_string()) {
    return malformed("An operation has no path.");
  }
  auto pointer = TRY(read_pointer(json::view(action.path->get_string())));
  Operation operation{action.kind, std::move(pointer.name), pointer.is_deep, std::nullopt, v21};
  if (auto const* value = object->if_contains("value")) operation.value = *value;
  return operation;
}

} // namespace vitrine::api::documents
