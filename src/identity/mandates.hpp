// Mandates of jobs: the caller's token, sealed, and where the services are that it is for.
#pragma once

#include "identity/builtin/secret_seal.hpp"
#include "model/mandates.hpp"

#include <string>
#include <string_view>

namespace vitrine::identity {

namespace keystone {
class Keystone;
}

struct MandateOptions {
  std::string key_file{};         ///< seals the tokens; made when it is missing
  std::string compute_endpoint{}; ///< empty: as the catalog says
  std::string volume_endpoint{};  ///< without a project; empty: as the catalog says
  std::string region{};
};

class SealedMandates final : public model::Mandates {
public:
  /// `keystone` must outlive it; null when tokens are those of the built-in identity.
  SealedMandates(MandateOptions options, keystone::Keystone* keystone)
      : options_(std::move(options)), seal_(options_.key_file), keystone_(keystone) {}

  Result<model::Mandate> give(model::Caller const& caller, std::string_view token) override;
  Result<model::CallTokens> open(model::Caller const& caller, std::string_view secret) override;

private:
  Result<std::string> token_for(model::Caller const& caller, std::string_view token);
  Result<> find_services(std::string_view token, model::Mandate& mandate);

  MandateOptions const options_;
  builtin::SecretSeal seal_;
  keystone::Keystone* keystone_;
};

} // namespace vitrine::identity
