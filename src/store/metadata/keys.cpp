#include "store/metadata/keys.hpp"

namespace vitrine::store {

Result<KeyState> Keys::state(std::string_view key) {
  auto state = KeyState::missing;
  TRY(connection_.run(sql::get_key_state, {key}, [&](Row const& row) {
    state = row.text(0) == "enabled" ? KeyState::enabled : KeyState::disabled;
  }));
  return state;
}

Result<bool> Keys::is_granted(std::string_view key, ProjectId const& project) {
  bool granted = false;
  TRY(connection_.run(sql::is_key_granted, {key, project}, [&](Row const&) { granted = true; }));
  return granted;
}

} // namespace vitrine::store
