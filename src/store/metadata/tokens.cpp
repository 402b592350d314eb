#include "store/metadata/tokens.hpp"

namespace vitrine::store {
namespace {

SigningKey row_to_key(Row const& row) { return {.id = row.integer(0), .secret = row.string(1)}; }

} // namespace

Result<> Tokens::revoke(std::string_view audit_id, Time expires_at, Time now) {
  TRY(connection_.run(sql::forget_revoked_tokens, {now}));
  TRY(connection_.run(sql::revoke_token, {audit_id, expires_at}));
  return {};
}

Result<> Tokens::void_all(UserId const& user, std::string_view scope_id, Time now,
                          std::int64_t lifetime_us) {
  TRY(connection_.run(sql::forget_void_tokens, {now + -lifetime_us}));
  TRY(connection_.run(sql::void_tokens, {user, scope_id, now}));
  return {};
}

Result<bool> Tokens::is_void(std::string_view audit_id, UserId const& user,
                             std::string_view scope_id, Time issued_at) {
  bool found = false;
  TRY(connection_.run(sql::is_token_void, {audit_id, user, scope_id, issued_at},
                      [&](Row const&) { found = true; }));
  return found;
}

Result<std::optional<SigningKey>> SigningKeys::newest() {
  std::optional<SigningKey> key;
  TRY(connection_.run(sql::newest_signing_key, {}, [&](Row const& row) { key = row_to_key(row); }));
  return key;
}

Result<std::optional<SigningKey>> SigningKeys::find(std::int64_t id) {
  std::optional<SigningKey> key;
  TRY(connection_.run(sql::find_signing_key, {id}, [&](Row const& row) { key = row_to_key(row); }));
  return key;
}

Result<> SigningKeys::rotate(std::string_view secret, Time now, Time forget_before) {
  TRY(connection_.run(sql::retire_signing_keys, {now}));
  TRY(connection_.run(sql::insert_signing_key, {secret, now}));
  TRY(connection_.run(sql::forget_signing_keys, {forget_before}));
  return {};
}

} // namespace vitrine::store
