#include "identity/builtin/application_credentials.hpp"

#include "base/text.hpp"
#include "identity/builtin/core.hpp"
#include "identity/builtin/roles.hpp"
#include "store/metadata/roles.hpp"
#include "store/metadata/users.hpp"

#include <algorithm>

namespace vitrine::identity::builtin {
namespace {

using store::Connection;

constexpr std::size_t kNameCharacters = 255;
constexpr std::size_t kSecretBytes = 4096;

// The wanted roles out of those the user holds; all of these when none is named.
Result<std::vector<model::Role>> choose_roles(std::vector<model::Role> const& held,
                                              std::vector<std::string> const& wanted) {
  if (held.empty()) {
    return error(Fault::invalid_value, "The user holds no role in the project.", "roles");
  }
  if (wanted.empty()) return held;
  std::vector<model::Role> out;
  for (auto const& one : wanted) {
    auto const at = std::ranges::find_if(held, [&](auto const& role) {
      return role.id.text == one || text::equals_ignoring_case(role.name, one);
    });
    if (at == held.end()) {
      return error(Fault::invalid_value, "The user does not hold the role " + one + ".", "roles");
    }
    if (std::ranges::find(out, at->id, &model::Role::id) == out.end()) out.push_back(*at);
  }
  return out;
}

model::IdentityTarget target_of(model::ApplicationCredential const& credential) {
  return {.type = model::IdentityTarget::Type::application_credential,
          .id = credential.id.text,
          .name = credential.name,
          .user = credential.user.text,
          .scope = model::Scope::of(credential.project)};
}

Result<model::ApplicationCredential> find_own(Connection& connection, UserId const& user,
                                              model::CredentialId const& id) {
  auto found = TRY(store::ApplicationCredentials(connection).find(id));
  if (found && found->user != user) found.reset();
  return present<model::ApplicationCredential>(std::move(found), "application credential", id.text);
}

} // namespace

Result<model::ApplicationCredential> ApplicationCredentials::get(UserId const& user,
                                                                 model::CredentialId const& id) {
  return core_.read([&](Connection& connection) { return find_own(connection, user, id); });
}

Result<std::vector<model::ApplicationCredential>>
ApplicationCredentials::list(UserId const& user, std::optional<std::string> const& name) {
  return core_.read([&](Connection& connection) {
    return store::ApplicationCredentials(connection).list(user, name);
  });
}

Result<CreatedCredential> ApplicationCredentials::create(NewCredential wanted,
                                                         model::Caller const& by) {
  auto const secret = wanted.secret.value_or(new_secret());
  if (secret.empty() || secret.size() > kSecretBytes) {
    return error(Fault::invalid_value, "secret must have 1 to 4096 bytes", "secret");
  }
  if (wanted.expires_at && *wanted.expires_at <= core_.clock.now()) {
    return error(Fault::invalid_value, "expires_at is in the past", "expires_at");
  }
  auto name = TRY(checked_name(wanted.name, kNameCharacters));
  model::ApplicationCredential credential{.id = {new_hex_id()},
                                          .user = wanted.user,
                                          .project = wanted.project,
                                          .name = std::move(name),
                                          .description = wanted.description,
                                          .roles = {},
                                          .expires_at = wanted.expires_at,
                                          .unrestricted = wanted.unrestricted};
  auto const hash = TRY(core_.passwords.hash(secret));
  auto const now = core_.clock.now();
  return core_.write([&](Connection& connection) -> Result<CreatedCredential> {
    auto given = TRY(store::Roles(connection).held(wanted.user, model::Scope::of(wanted.project)));
    auto held = TRY(with_implied(connection, std::move(given)));
    // A token of another credential may hold fewer roles than the user: it must not lend itself
    // more.
    std::erase_if(held, [&](auto const& role) {
      return wanted.token_roles && std::ranges::find(*wanted.token_roles, role.id,
                                                     &model::Role::id) == wanted.token_roles->end();
    });
    credential.roles = TRY(choose_roles(held, wanted.roles));
    TRY(taken(store::ApplicationCredentials(connection).insert(credential, hash),
              "application credential", credential.name));
    model::IdentityChange const event{model::audit::credential_create, now, by,
                                      target_of(credential)};
    TRY(store::Audit(connection).record(event));
    return CreatedCredential{credential, secret};
  });
}

Result<> ApplicationCredentials::remove(UserId const& user, model::CredentialId const& id,
                                        model::Caller const& by) {
  auto const now = core_.clock.now();
  return core_.write([&](Connection& connection) -> Result<> {
    auto const credential = TRY(find_own(connection, user, id));
    TRY(store::ApplicationCredentials(connection).remove(id));
    model::IdentityChange const event{model::audit::credential_delete, now, by,
                                      target_of(credential)};
    return store::Audit(connection).record(event);
  });
}

} // namespace vitrine::identity::builtin
