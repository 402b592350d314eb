#include "identity/keystone/service_login.hpp"

#include "base/json.hpp"
#include "identity/keystone/document.hpp"
#include "ops/log.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace vitrine::identity::keystone {
namespace {

constexpr std::int64_t kRenewBeforeUs = 60 * kMicrosecondsPerSecond;
constexpr std::int64_t kPauseUs = 5 * kMicrosecondsPerSecond; // after a login that was refused

Error failed(std::string_view detail) {
  ops::log_error("identity.service_login_failed", {{"detail", detail}});
  return error(Fault::identity_unavailable);
}

Result<std::string> password_of(Account const& account) {
  if (account.password_file.empty()) return account.password;
  std::ifstream file(account.password_file);
  if (!file) return failed("cannot read " + account.password_file);
  std::string text(std::istreambuf_iterator<char>(file), {});
  while (text.ends_with('\n') || text.ends_with('\r'))
    text.pop_back();
  return text;
}

void write_name(json::Writer& writer, std::string_view kind, std::string_view name) {
  writer.key(kind).begin_object().field("name", name);
}

} // namespace

Result<std::string> ServiceLogin::request_body() const {
  auto const& account = options_.account;
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("auth").begin_object().key("identity").begin_object();
  if (!account.credential_id.empty()) {
    writer.key("methods").begin_array().string("application_credential").end_array();
    writer.key("application_credential").begin_object();
    writer.field("id", account.credential_id).field("secret", account.credential_secret);
    writer.end_object().end_object().end_object().end_object();
    return body;
  }
  auto const password = TRY(password_of(account));
  writer.key("methods").begin_array().string("password").end_array();
  writer.key("password").begin_object();
  write_name(writer, "user", account.username);
  write_name(writer, "domain", account.user_domain);
  writer.end_object().field("password", password).end_object().end_object().end_object();
  writer.key("scope").begin_object();
  write_name(writer, "project", account.project);
  write_name(writer, "domain", account.project_domain);
  writer.end_object().end_object().end_object().end_object().end_object();
  return body;
}

Result<ServiceLogin::Held> ServiceLogin::log_in() {
  auto const body = TRY(request_body());
  auto const answer = client_.send({.method = "POST",
                                    .url = options_.auth_url + "/auth/tokens?nocatalog",
                                    .headers = {{"Content-Type", "application/json"}},
                                    .body = body});
  if (!answer) return failed(answer.error().detail);
  if (answer->status == 401) refused_at_ = clock_.now();
  if (answer->status != 201) {
    return failed("Keystone answers " + std::to_string(answer->status) +
                  " to the login of the "
                  "service");
  }
  auto const token = Document::of(answer->body, "token");
  auto const expires_at = token ? parse_time(token->text("expires_at")) : std::nullopt;
  auto const text = answer->header("X-Subject-Token");
  if (!expires_at || !text || text->empty()) return failed("what answers is no Keystone");
  auto const now = clock_.now();
  auto const lifetime_us = std::max<std::int64_t>(expires_at->us - now.us, 0);
  return Held{std::string(*text), *expires_at + -std::min(kRenewBeforeUs, lifetime_us / 4)};
}

// A clock that was set back ends the pause, too.
bool ServiceLogin::was_just_refused() const {
  if (!refused_at_) return false;
  auto const ago_us = clock_.now().us - refused_at_->us;
  return ago_us >= 0 && ago_us < kPauseUs;
}

Result<std::string> ServiceLogin::token() {
  auto const asked_at = std::chrono::steady_clock::now();
  std::lock_guard const lock(mutex_);
  if (held_ && clock_.now() < held_->renew_at) return held_->token;
  if (failed_at_ >= asked_at || was_just_refused()) return error(Fault::identity_unavailable);
  auto made = log_in();
  if (!made) {
    failed_at_ = std::chrono::steady_clock::now();
    return std::move(made).error();
  }
  held_ = std::move(*made);
  return held_->token;
}

void ServiceLogin::refused(std::string_view token) {
  std::lock_guard const lock(mutex_);
  if (held_ && held_->token == token) held_.reset();
}

} // namespace vitrine::identity::keystone
