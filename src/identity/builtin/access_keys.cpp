#include "identity/builtin/access_keys.hpp"

#include "base/text.hpp"
#include "identity/builtin/core.hpp"
#include "identity/builtin/session.hpp"
#include "store/metadata/access_keys.hpp"
#include "store/metadata/roles.hpp"
#include "store/metadata/users.hpp"

#include <limits>
#include <sodium.h>

namespace vitrine::identity::builtin {
namespace {

using store::Connection;

constexpr std::size_t kIdCharacters = 20;
constexpr std::size_t kSecretCharacters = 40; // 62^40: some 238 bits
constexpr std::size_t kKeysMax = 20;
constexpr std::size_t kDescriptionCharacters = 255;

std::string random_text(std::size_t count, std::string_view alphabet) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i)
    out += alphabet[randombytes_uniform(static_cast<std::uint32_t>(alphabet.size()))];
  return out;
}

std::string new_id() { return random_text(kIdCharacters, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"); }

std::string new_key_secret() {
  return random_text(kSecretCharacters,
                     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
}

// A sealed secret is good for its own key only, whatever somebody does to the rows.
std::string purpose_of(std::string_view id) { return "access key " + std::string(id); }

model::IdentityTarget target_of(model::AccessKey const& key) {
  return {.type = model::IdentityTarget::Type::access_key,
          .id = key.id,
          .name = key.id,
          .user = key.user.text,
          .scope = model::Scope::of(key.project)};
}

Result<model::AccessKey> find_key(Connection& connection, std::string_view id) {
  return present(store::AccessKeys(connection).find(id), "access key", id);
}

Result<model::AccessKey> find_own(Connection& connection, UserId const& user, std::string_view id) {
  auto found = TRY(store::AccessKeys(connection).find(id));
  if (found && found->user != user) found.reset();
  return present<model::AccessKey>(std::move(found), "access key", id);
}

Result<> remove_key(Connection& connection, model::AccessKey const& key, Time now,
                    model::Caller const& by) {
  TRY(store::AccessKeys(connection).remove(key.id));
  model::IdentityChange const event{model::audit::access_key_delete, now, by, target_of(key)};
  return store::Audit(connection).record(event);
}

// As with a token that the user of the key gets this very moment.
Result<Session> enter(Connection& connection, std::string_view id, Time now) {
  auto const key = TRY(store::AccessKeys(connection).find(id));
  if (!key) return error(Fault::unauthenticated);
  return resolve(connection,
                 {.user = key->user,
                  .scope = model::Scope::of(key->project),
                  .issued_at = now,
                  .expires_at = now + 1,
                  .audit_id = {},
                  .parent_audit_id = {},
                  .credential = {}},
                 now);
}

Result<> check_holder(Connection& connection, model::AccessKey const& key) {
  TRY(present(store::Users(connection).find(key.user), "user", key.user.text));
  TRY(present(store::Projects(connection).find(key.project), "project", key.project.text));
  auto const held = TRY(store::Roles(connection).held(key.user, model::Scope::of(key.project)));
  if (held.empty()) {
    return error(Fault::invalid_value, "The user holds no role in the project.", "project_id");
  }
  auto const others = TRY(store::AccessKeys(connection).list(key.user));
  if (others.size() < kKeysMax) return {};
  return error(Fault::too_large, "The user has 20 access keys, the most there may be.");
}

} // namespace

Result<model::AccessKey> AccessKeys::get(UserId const& user, std::string_view id) {
  return core_.read([&](Connection& connection) { return find_own(connection, user, id); });
}

Result<std::vector<model::AccessKey>> AccessKeys::list(std::optional<UserId> const& user) {
  return core_.read(
      [&](Connection& connection) { return store::AccessKeys(connection).list(user); });
}

Result<CreatedAccessKey> AccessKeys::create(UserId const& user, ProjectId const& project,
                                            std::string const& description,
                                            model::Caller const& by) {
  if (!text::is_utf8(description) || text::length_utf8(description) > kDescriptionCharacters) {
    return error(Fault::invalid_value, "description must be text of up to 255 characters",
                 "description");
  }
  model::AccessKey const key{.id = new_id(),
                             .user = user,
                             .project = project,
                             .description = description,
                             .created_at = core_.clock.now()};
  auto const secret = new_key_secret();
  return core_.write([&](Connection& connection) -> Result<CreatedAccessKey> {
    TRY(check_holder(connection, key));
    store::AccessKeys keys(connection);
    auto const earlier = TRY(keys.any_sealed_secret());
    auto const sealed = TRY(core_.seal.seal(secret, purpose_of(key.id), earlier));
    TRY(keys.insert(key, sealed));
    model::IdentityChange const event{model::audit::access_key_create, key.created_at, by,
                                      target_of(key)};
    TRY(store::Audit(connection).record(event));
    return CreatedAccessKey{key, secret};
  });
}

Result<> AccessKeys::remove(UserId const& user, std::string_view id, model::Caller const& by) {
  auto const now = core_.clock.now();
  return core_.write([&](Connection& connection) -> Result<> {
    auto const key = TRY(find_own(connection, user, id));
    return remove_key(connection, key, now, by);
  });
}

Result<> AccessKeys::remove(std::string_view id, model::Caller const& by) {
  auto const now = core_.clock.now();
  return core_.write([&](Connection& connection) -> Result<> {
    auto const key = TRY(find_key(connection, id));
    return remove_key(connection, key, now, by);
  });
}

std::shared_ptr<KeyHolder const> AccessKeys::known(std::string_view key) const {
  return core_.key_holders.find(key, core_.clock.now());
}

Result<std::optional<std::string>> AccessKeys::secret_of(std::string_view key) {
  auto const sealed = TRY(core_.read(
      [&](Connection& connection) { return store::AccessKeys(connection).sealed_secret(key); }));
  if (!sealed) return std::optional<std::string>();
  return TRY(core_.seal.open(*sealed, purpose_of(key)));
}

Result<std::shared_ptr<KeyHolder const>> AccessKeys::holder_of(std::string_view key,
                                                               std::string const& secret) {
  auto const now = core_.clock.now();
  auto const generation = core_.key_holders.generation();
  auto const session =
      TRY(core_.read([&](Connection& connection) { return enter(connection, key, now); }));
  auto holder = std::make_shared<KeyHolder const>(
      KeyHolder{.secret = secret, .caller = to_caller(session, core_.options.rules)});
  Time const whenever{std::numeric_limits<std::int64_t>::max()};
  core_.key_holders.keep(key, holder, now, whenever, generation);
  return holder;
}

} // namespace vitrine::identity::builtin
