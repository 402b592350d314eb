// What the value of an attribute may be: one rule for every API that takes it (contract: ims-api
// 3.4, 6.3.1).
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vitrine::api::documents {

enum class Form : std::uint8_t {
  text,
  name,
  description,
  flag,               ///< true or false, in any letter case
  digits,             ///< a whole number as text
  memory,             ///< MiB
  disk,               ///< GiB
  firmware,           ///< how a machine starts: bios or uefi
  agents,             ///< names of agents, with commas
  enterprise_project, ///< id, or nothing or "0" for the default one
  key,                ///< id of a key, or a name of the default one
  json,
};

/// How the extension stores and looks for a text of that form: it takes flags and ids in any letter
/// case and stores small letters (contract: ims-api, Words, 2.1).
std::string stored_form(Form form, std::string_view text);

/// Why a text is not of its form.
struct Misfit {
  Fault fault;        ///< as the extension tells it
  std::string needed; ///< what would fit, with its limits
};
/// Nothing when `text`, which is UTF-8, fits.
std::optional<Misfit> misfit(Form form, std::string_view text);

} // namespace vitrine::api::documents
