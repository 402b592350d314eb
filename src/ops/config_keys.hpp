// The table of configuration keys; for the files of `ops/config` only.
#pragma once

#include "ops/config.hpp"

#include <functional>
#include <span>
#include <variant>

namespace vitrine::ops {

/// An enumeration with values 0, 1, 2, ... in a config, seen as an index into the row's choices.
struct Choice {
  std::function<std::size_t()> get;
  std::function<void(std::size_t)> set;
};

/// The place of a key's value in a config.
using Slot = std::variant<bool*, std::int64_t*, std::string*, std::vector<std::string>*,
                          std::map<std::string, std::string>*, Choice>;

/// What is wrong with a value, nothing when it is right.
using TextCheck = std::optional<std::string> (*)(std::string_view);

/// What is done with the file that a text names, unless it is empty.
enum class NamesFile : std::uint8_t { no, to_read, to_write };

enum class Applies : std::uint8_t { at_restart, on_reload };

struct Key {
  std::string section;
  std::string_view name;
  std::function<Slot(Config&)> slot;
  std::string_view description;
  std::int64_t min{0}; ///< of integers
  std::int64_t max{0};
  std::vector<std::string_view> choices{}; ///< of enumerations, by value
  TextCheck check{nullptr};                ///< of text and of each item of a list
  Applies applies{Applies::at_restart};
  NamesFile names_file{NamesFile::no};

  [[nodiscard]] std::string full_name() const;
  [[nodiscard]] std::string variable() const;
};

/// All keys of sections that are there once, grouped by section.
std::span<Key const> config_keys();

/// What is wrong with the name of a store, nothing when it is right.
std::optional<std::string> check_store_name(std::string_view text);

/// What the names of sections of further stores begin with.
inline constexpr std::string_view kStoreSections = "store.";
/// The keys of the section of a further store. A slot makes the store when it is not there.
std::vector<Key> keys_of_store(std::string const& name);

} // namespace vitrine::ops
