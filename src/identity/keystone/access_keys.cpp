#include "identity/keystone/access_keys.hpp"

#include "base/hash.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "identity/keystone/document.hpp"
#include "identity/signature.hpp"

#include <array>
#include <sodium.h>
#include <utility>

namespace vitrine::identity::keystone {
namespace {

constexpr std::string_view kHost = "vitrine"; // signed and told; nobody connects to it

std::string base64(Mac const& mac) {
  std::string out(sodium_base64_encoded_len(mac.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(out.data(), out.size(), mac.data(), mac.size(), sodium_base64_VARIANT_ORIGINAL);
  out.pop_back(); // the terminating NUL
  return out;
}

} // namespace

std::string ec2_login(std::string_view key, std::string_view secret, Time now) {
  std::array<std::pair<std::string_view, std::string>, 4> const parameters{
      {{"AWSAccessKeyId", std::string(key)},
       {"SignatureMethod", "HmacSHA256"},
       {"SignatureVersion", "2"},
       {"Timestamp", format_seconds(now)}}}; // in the order of their names
  std::string query;
  for (auto const& [name, value] : parameters) {
    if (!query.empty()) query += '&';
    query += std::string(name) + "=" + text::percent_encode(value);
  }
  auto const signature = hmac(secret, "GET\n" + std::string(kHost) + "\n/\n" + query);
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("credentials").begin_object();
  writer.field("access", key).field("signature", base64(signature)).field("host", kHost);
  writer.field("verb", "GET").field("path", "/").key("params").begin_object();
  for (auto const& [name, value] : parameters)
    writer.field(name, value);
  writer.end_object().end_object().end_object();
  return body;
}

AccessKeys::AccessKeys(Options const& options, Calls& calls, Clock const& clock)
    : options_(options), calls_(calls), clock_(clock),
      holders_(options.cache_seconds * kMicrosecondsPerSecond) {}

std::shared_ptr<KeyHolder const> AccessKeys::known(std::string_view key) const {
  return holders_.find(sha256_hex(key), clock_.now());
}

Result<std::optional<std::string>> AccessKeys::secret_of(std::string_view key) {
  auto const answer = TRY(calls_.get("/credentials/" + sha256_hex(key)));
  if (answer.status == 404) return std::optional<std::string>();
  auto const credential = TRY(Document::of(answer.body, "credential"));
  if (credential.text("type") != "ec2") return std::optional<std::string>();
  auto const blob = Document::whole(credential.text("blob"));
  // Whoever may write credentials may write anything into one.
  if (!blob || blob->text("access") != key || blob->text("secret").empty()) {
    return std::optional<std::string>();
  }
  return blob->text("secret");
}

Result<std::shared_ptr<KeyHolder const>> AccessKeys::holder_of(std::string_view key,
                                                               std::string const& secret) {
  auto const generation = holders_.generation();
  auto const answer = TRY(calls_.post("/ec2tokens", ec2_login(key, secret, clock_.now())));
  if (answer.status != 200) return error(Fault::unauthenticated);
  auto checked = TRY(read_token(answer.body, options_.rules));
  auto holder = std::make_shared<KeyHolder const>(
      KeyHolder{.secret = secret, .caller = std::move(checked.caller)});
  if (holder->caller.project.empty()) return error(Fault::unauthenticated);
  holders_.keep(sha256_hex(key), holder, clock_.now(), checked.expires_at, generation);
  return holder;
}

} // namespace vitrine::identity::keystone
