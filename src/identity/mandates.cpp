#include "identity/mandates.hpp"

#include "identity/keystone/keystone.hpp"

namespace vitrine::identity {
namespace {

// A secret opens for the caller whose it is, and for nothing else that is sealed with the file.
std::string purpose_of(model::Caller const& caller) {
  return "job of " + caller.user.text + " in " + caller.project.text;
}

// The catalog names the project in the URL of block storage, the configuration cannot.
std::string of_project(std::string url, ProjectId const& project) {
  auto const last = "/" + project.text;
  if (url.empty() || url.ends_with(last)) return url;
  return url + last;
}

std::string without_slash(std::string url) {
  while (url.ends_with('/'))
    url.pop_back();
  return url;
}

} // namespace

Result<std::string> SealedMandates::token_for(model::Caller const& caller, std::string_view token) {
  if (!token.empty()) return std::string(token);
  if (keystone_ != nullptr) {
    if (auto made = TRY(keystone_->token_of(caller.user, caller.project))) return std::move(*made);
  }
  return error(Fault::not_offered, "other services can be asked with a token only, and the request "
                                   "is signed");
}

Result<> SealedMandates::find_services(std::string_view token, model::Mandate& mandate) {
  mandate.compute = options_.compute_endpoint;
  mandate.volumes = options_.volume_endpoint;
  if (keystone_ == nullptr || (!mandate.compute.empty() && !mandate.volumes.empty())) return {};
  auto const catalog = TRY(keystone_->catalog_of(token, options_.region));
  auto const url_of = [&](std::string_view type) {
    auto const found = catalog.find(type);
    return found == catalog.end() ? std::string() : without_slash(found->second);
  };
  if (mandate.compute.empty()) mandate.compute = url_of("compute");
  if (mandate.volumes.empty()) mandate.volumes = url_of("block-storage");
  if (mandate.volumes.empty()) mandate.volumes = url_of("volumev3");
  return {};
}

Result<model::Mandate> SealedMandates::give(model::Caller const& caller, std::string_view token) {
  auto const held = TRY(token_for(caller, token));
  model::Mandate mandate;
  TRY(find_services(held, mandate));
  mandate.volumes = of_project(std::move(mandate.volumes), caller.project);
  mandate.secret = TRY(seal_.seal(held, purpose_of(caller), std::nullopt));
  return mandate;
}

Result<model::CallTokens> SealedMandates::open(model::Caller const& caller,
                                               std::string_view secret) {
  model::CallTokens tokens;
  tokens.caller = TRY(seal_.open(secret, purpose_of(caller)));
  if (keystone_ != nullptr) tokens.service = TRY(keystone_->service_token());
  return tokens;
}

} // namespace vitrine::identity
