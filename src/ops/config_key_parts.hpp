// What the tables of keys are made of, and their parts; for the files of `ops/config_keys*` only.
#pragma once

#include "ops/config_keys.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::ops {

inline constexpr std::int64_t kCountMax = 2'147'483'647;
inline constexpr std::int64_t kDaySeconds = 86'400;

// What is wrong with a value, nothing when it is right: see TextCheck.
std::optional<std::string> check_listen(std::string_view text);
std::optional<std::string> check_endpoint(std::string_view text);
std::optional<std::string> check_network(std::string_view text);
std::optional<std::string> check_database(std::string_view text);
std::optional<std::string> check_bucket(std::string_view text);
std::optional<std::string> check_allowed(std::string_view text);
std::optional<std::string> check_prefix(std::string_view text);
std::optional<std::string> check_region(std::string_view text);

template <class Enum>
Choice choice(Enum& value) {
  return {[&value] { return static_cast<std::size_t>(value); },
          [&value](std::size_t index) { value = static_cast<Enum>(index); }};
}

using Place = std::function<Slot(Config&)>;

Key input_file(std::string section, std::string_view name, Place slot, std::string_view description,
               Applies applies = Applies::at_restart);
/// SIGHUP opens it again, so that it can be rotated.
Key output_file(std::string section, std::string_view name, Place slot,
                std::string_view description);

// Slots are found by a function, so that one table serves every Config.
#define SLOT(section, key) [](Config& config) -> Slot { return &config.section.key; }
#define CHOICE(section, key) [](Config& config) -> Slot { return choice(config.section.key); }

// The keys of some sections each, in the order of the reference.
std::vector<Key> storage_keys();
/// Of the section that `of` gives: that of the first store, or of a further one.
std::vector<Key> s3_keys(std::string const& section, std::function<S3Config&(Config&)> const& of);
std::vector<Key> buckets_keys();
std::vector<Key> key_keys();
std::vector<Key> compute_keys();
std::vector<Key> block_storage_keys();
std::vector<Key> keystone_keys();
std::vector<Key> identity_keys();

} // namespace vitrine::ops
