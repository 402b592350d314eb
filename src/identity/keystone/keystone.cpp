#include "identity/keystone/keystone.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <utility>

namespace vitrine::identity::keystone {
namespace {

constexpr std::size_t kTokenBytesMax = 4096;

// What may be a token at all; all else is refused without a question.
bool may_be_token(std::string_view text) {
  return !text.empty() && text.size() <= kTokenBytesMax &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

Result<PublicUrls> public_urls(Document const& document, std::string_view region) {
  auto const* catalog = document.list("catalog");
  if (catalog == nullptr) return error(Fault::identity_unavailable);
  PublicUrls urls;
  for (auto const& value : *catalog) {
    auto const service = Document::item(value);
    auto const* endpoints = service.list("endpoints");
    if (endpoints == nullptr) continue;
    for (auto const& entry : *endpoints) {
      auto const endpoint = Document::item(entry);
      if (endpoint.text("interface") == "public" && endpoint.text("region") == region) {
        urls.emplace(service.text("type"), endpoint.text("url"));
      }
    }
  }
  return urls;
}

} // namespace

Keystone::Keystone(Options options, Clock const& clock, ops::Metrics& metrics)
    : options_(std::move(options)), clock_(clock), calls_(options_, clock, metrics),
      checks_(clock, options_.cache_seconds), projects_(calls_, clock, options_.cache_seconds),
      access_keys_(options_, calls_, clock) {}

void Keystone::forget_callers() noexcept {
  checks_.forget_callers();
  access_keys_.forget_callers();
}

bool Keystone::is_service(model::Caller const& caller) const {
  return std::ranges::any_of(options_.service_roles,
                             [&](auto const& role) { return caller.has_role(role); });
}

Result<Checked> Keystone::ask(std::string_view token, std::string_view question) {
  auto const answer = TRY(calls_.get(question, token));
  if (answer.status == 404) return error(Fault::unauthenticated);
  return read_token(answer.body, options_.rules);
}

Result<std::shared_ptr<model::Caller const>> Keystone::caller_of(Shown const& shown) {
  auto const& [token, service_token] = shown;
  if (!may_be_token(token)) return error(Fault::unauthenticated);
  auto const check = [this](std::string_view text) {
    return checks_.find(text, [&] { return ask(text, "/auth/tokens?nocatalog"); });
  };
  if (service_token.empty()) return check(token);
  if (!may_be_token(service_token)) return error(Fault::unauthenticated);
  auto const service = TRY(check(service_token));
  if (!is_service(*service)) return check(token);
  return checks_.find_expired(
      token, [&] { return ask(shown.token, "/auth/tokens?nocatalog&allow_expired=1"); });
}

/// With a token of a service it is not this one alone that counts.
std::shared_ptr<model::Caller const> Keystone::known_caller(Shown const& shown) {
  if (!shown.service_token.empty() || !may_be_token(shown.token)) return nullptr;
  return checks_.known(shown.token);
}

std::string Keystone::auth_url(std::string_view /*base_url*/) const { return options_.auth_url; }

Result<std::optional<model::ObjectStoreKey>>
Keystone::object_store_key_of(UserId const& user, ProjectId const& project) {
  auto const answer =
      TRY(calls_.get("/users/" + text::percent_encode(user.text) + "/credentials/OS-EC2"));
  if (answer.status == 404) return std::nullopt;
  auto const document = TRY(Document::whole(answer.body));
  auto const* credentials = document.list("credentials");
  if (credentials == nullptr) return error(Fault::identity_unavailable);
  for (auto const& value : *credentials) {
    auto const credential = Document::item(value);
    if (credential.text("tenant_id") != project.text) continue;
    return model::ObjectStoreKey{credential.text("access"), credential.text("secret")};
  }
  return std::nullopt;
}

Result<std::optional<std::string>> Keystone::token_of(UserId const& user,
                                                      ProjectId const& project) {
  auto const key = TRY(object_store_key_of(user, project));
  if (!key) return std::nullopt;
  auto const answer =
      TRY(calls_.post("/ec2tokens", ec2_login(key->access, key->secret, clock_.now())));
  auto const token = answer.header("X-Subject-Token");
  if (answer.status != 200 || !token) return error(Fault::unauthenticated);
  return std::string(*token);
}

Result<std::optional<std::string>> Keystone::endpoint_of(std::string_view type,
                                                         std::string_view region) {
  auto const answer = TRY(calls_.get("/auth/catalog"));
  if (answer.status == 404) return std::nullopt;
  auto const document = TRY(Document::whole(answer.body));
  auto const urls = TRY(public_urls(document, region));
  auto const found = urls.find(type);
  return found == urls.end() ? std::nullopt : std::optional(found->second);
}

Result<PublicUrls> Keystone::catalog_of(std::string_view token, std::string_view region) {
  auto const answer = TRY(calls_.get("/auth/tokens", token));
  if (answer.status == 404) return error(Fault::unauthenticated);
  auto const document = TRY(Document::of(answer.body, "token"));
  return public_urls(document, region);
}

} // namespace vitrine::identity::keystone
