#include "store/s3/account.hpp"

#include "ops/log.hpp"

#include <fstream>
#include <iterator>
#include <memory>

namespace vitrine::store::s3 {
namespace {

Result<std::string> key_of(std::string const& given, std::string const& file) {
  if (file.empty()) return given;
  std::ifstream stream(file);
  std::string text(std::istreambuf_iterator<char>(stream), {});
  while (text.ends_with('\n') || text.ends_with('\r'))
    text.pop_back();
  if (!stream || text.empty()) return error(Fault::unavailable, "no key can be read from " + file);
  return text;
}

Result<Credentials> read(Keys const& keys) {
  auto access_key = TRY(key_of(keys.access_key, keys.access_key_file));
  auto secret_key = TRY(key_of(keys.secret_key, keys.secret_key_file));
  return Credentials{std::move(access_key), std::move(secret_key)};
}

} // namespace

Result<std::shared_ptr<Account>> Account::open(Keys keys) {
  std::shared_ptr<Account> account(new Account(std::move(keys)));
  account->credentials_ = TRY(read(account->keys_));
  return account;
}

Credentials Account::credentials() const {
  std::lock_guard const lock(mutex_);
  return credentials_;
}

bool Account::renew(Credentials const& used) {
  auto fresh = read(keys_);
  if (!fresh) ops::log_error("store.no_keys", {{"detail", fresh.error().detail}});
  std::lock_guard const lock(mutex_);
  if (fresh && *fresh != credentials_) {
    credentials_ = std::move(*fresh);
    ops::log_info("store.keys_renewed", {});
  }
  return credentials_ != used; // perhaps renewed by another thread
}

} // namespace vitrine::store::s3
