// Prints the configuration keys for people.
#include "base/json.hpp"
#include "ops/config_keys.hpp"

#include <fmt/format.h>

namespace vitrine::ops {
namespace {

std::string in_quotes(std::string_view text) {
  std::string out;
  json::append_string(out, text); // a TOML basic string is written like a JSON string
  return out;
}

struct TypeName {
  Key const& key;

  std::string operator()(bool const*) const { return "true or false"; }
  std::string operator()(std::int64_t const*) const {
    return fmt::format("integer, {} to {}", key.min, key.max);
  }
  std::string operator()(std::string const*) const { return "text"; }
  std::string operator()(std::vector<std::string> const*) const { return "list of texts"; }
  std::string operator()(std::map<std::string, std::string> const*) const {
    return "table of texts";
  }
  std::string operator()(Choice const&) const {
    return fmt::format("{}", fmt::join(key.choices, " or "));
  }
};

/// The value of a key as TOML.
struct TomlValue {
  Key const& key;

  std::string operator()(bool const* value) const { return *value ? "true" : "false"; }
  std::string operator()(std::int64_t const* value) const { return std::to_string(*value); }
  std::string operator()(std::string const* value) const { return in_quotes(*value); }
  std::string operator()(std::vector<std::string> const* value) const {
    std::string out = "[";
    for (auto const& item : *value)
      out += (out.size() > 1 ? ", " : "") + in_quotes(item);
    return out + "]";
  }
  std::string operator()(std::map<std::string, std::string> const* value) const {
    std::string out = "{";
    for (auto const& [name, text] : *value) {
      out += (out.size() > 1 ? ", " : " ") + in_quotes(name) + " = " + in_quotes(text);
    }
    return out + (value->empty() ? "}" : " }");
  }
  std::string operator()(Choice const& value) const { return in_quotes(key.choices[value.get()]); }
};

std::string default_of(Key const& key) {
  Config defaults;
  return std::visit(TomlValue{key}, key.slot(defaults));
}

std::string type_of(Key const& key) {
  Config any;
  return std::visit(TypeName{key}, key.slot(any));
}

} // namespace

std::string describe_config_markdown() {
  std::string out = "# Configuration\n\n"
                    "Precedence: command line, environment, file, default.\n";
  std::string section;
  std::vector<Key> keys(config_keys().begin(), config_keys().end());
  auto const of_store = keys_of_store("NAME");
  keys.insert(keys.end(), of_store.begin(), of_store.end());
  for (auto const& key : keys) {
    if (key.section != section) {
      section = key.section;
      out += fmt::format("\n## [{}]\n\n| key | variable | type | default | applies | meaning |\n"
                         "| --- | --- | --- | --- | --- | --- |\n",
                         section);
    }
    out += fmt::format("| {} | `{}` | {} | `{}` | {} | {} |\n", key.name, key.variable(),
                       type_of(key), default_of(key),
                       key.applies == Applies::at_restart ? "at restart" : "on SIGHUP",
                       key.description);
  }
  return out;
}

} // namespace vitrine::ops
