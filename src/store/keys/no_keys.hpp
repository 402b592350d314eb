// The key service that is none.
#pragma once

#include "store/keys/key_service.hpp"

namespace vitrine::store {

class NoKeys final : public KeyService {
public:
  Result<KeyState> state(std::string_view) override { return error(Fault::no_key_service); }
  Result<std::string> default_key(ProjectId const&) override {
    return error(Fault::no_key_service);
  }
  Result<KeyState> default_key_state(ProjectId const&) override {
    return error(Fault::no_key_service);
  }
  Result<WrappedKey> wrap(std::string_view, Secret const&, std::string_view) override {
    return error(Fault::no_key_service);
  }
  Result<Secret> unwrap(WrappedKey const&, std::string_view) override {
    return error(Fault::no_key_service);
  }
  Result<std::vector<Key>> list() override { return error(Fault::no_key_service); }
  Result<Key> create(std::string_view) override { return error(Fault::no_key_service); }
  Result<> set_enabled(std::string_view, bool) override { return error(Fault::no_key_service); }
};

} // namespace vitrine::store
