#include "store/keys/barbican/barbican.hpp"

#include "base/text.hpp"
#include "ops/log.hpp"
#include "store/keys/key_names.hpp"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <span>
#include <tuple>
#include <utility>

namespace vitrine::store {
namespace {

constexpr std::string_view kDisabled = "vitrine-disabled"; // in the metadata of a secret
constexpr std::size_t kPage = 100;                         // what Barbican gives at most
constexpr std::size_t kBase64Bytes = (Secret::kBytes + 2) / 3 * 4;

Error failed(std::string_view detail) {
  ops::log_warning("keys.barbican_failed", {{"detail", detail}});
  return error(Fault::unavailable, "The key service does not answer.");
}

Error refused(int status) {
  if (status == 403) return failed("the service's account may not do this; see docs/encryption.md");
  return failed(fmt::format("Barbican answers {}", status));
}

std::string text_in(json::Object const& object, std::string_view name) {
  auto const* const value = object.if_contains(name);
  auto const* const text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(json::view(*text));
}

// Ids are the last part of the address of a secret.
Key key_in(json::Object const& secret) {
  auto const address = text_in(secret, "secret_ref");
  return {.id = address.substr(address.rfind('/') + 1),
          .name = text_in(secret, "name"),
          .state = KeyState::enabled,
          .created_at = parse_time(text_in(secret, "created")).value_or(Time{})};
}

Error stranger() { return failed("what answers is no Barbican"); }

Result<json::Object> object_of(std::string_view body) {
  auto parsed = json::parse(body);
  if (parsed && parsed->is_object()) return std::move(parsed->as_object());
  return stranger();
}

// A refusal of Barbican's tells its status once more. Others come from what stands before it, such
// as a proxy that has lost its way, and say nothing of a secret.
Result<> require_barbican(net::client::Response const& refusal) {
  auto const told = TRY(object_of(refusal.body));
  auto const* const code = told.if_contains("code");
  return code != nullptr && json::whole_number(*code) == refusal.status ? Result<>() : stranger();
}

/// The request that stores a new secret; holds its bytes.
class NewSecret {
public:
  NewSecret(std::string_view name, Secret const& secret)
      : head_(fmt::format(
            R"({{"name":"{}","algorithm":"aes","bit_length":256,"secret_type":"symmetric",)"
            R"("payload_content_type":"application/octet-stream",)"
            R"("payload_content_encoding":"base64","payload":")",
            name)),
        text_(head_.size() + kBase64Bytes + kTail.size() + 1) {
    auto* const at = text_.room().data();
    std::memcpy(at, head_.data(), head_.size());
    auto* const payload = reinterpret_cast<unsigned char*>(at + head_.size());
    EVP_EncodeBlock(payload, secret.bytes().data(), static_cast<int>(Secret::kBytes));
    std::memcpy(payload + kBase64Bytes, kTail.data(), kTail.size());
  }

  [[nodiscard]] std::string_view body() {
    return {text_.room().data(), text_.room().size() - 1}; // without the end that OpenSSL writes
  }

private:
  static constexpr std::string_view kTail = "\"}";
  std::string const head_;
  SecretText text_;
};

} // namespace

Barbican::Barbican(BarbicanOptions options, std::unique_ptr<model::ServiceTokens> tokens,
                   Clock const& clock)
    : options_(std::move(options)), tokens_(std::move(tokens)), clock_(clock),
      client_({.ca_file = options_.ca_file,
               .connect_timeout = options_.timeout,
               .idle_timeout = options_.timeout,
               .total_timeout = options_.timeout}) {}

Result<Barbican::Response> Barbican::send(Request& request, std::string const& token) {
  request.headers.push_back({"X-Auth-Token", token});
  auto answer = client_.send(request);
  request.headers.pop_back();
  if (!answer) return failed(answer.error().detail);
  return answer;
}

/// `request.url` is a path below /v1. The answer is 2xx, or says something of the secret: 403, 404,
/// 406 (none of bytes), 409.
Result<Barbican::Response> Barbican::ask(Request request) {
  request.url = options_.url + "/v1" + request.url;
  auto token = TRY(tokens_->token());
  auto answer = TRY(send(request, token));
  if (answer.status == 401) {
    tokens_->refused(token);
    token = TRY(tokens_->token());
    answer = TRY(send(request, token));
  }
  switch (answer.status) {
  case 200:
  case 201:
  case 204: return answer;
  case 403:
  case 404:
  case 406:
  case 409: TRY(require_barbican(answer)); return answer;
  default: return refused(answer.status);
  }
}

Result<bool> Barbican::is_disabled(std::string const& key) {
  auto const answer = TRY(ask({.url = "/secrets/" + key + "/metadata"}));
  if (answer.status == 404) return false;
  if (answer.status != 200) return refused(answer.status);
  auto const whole = TRY(object_of(answer.body));
  auto const* const metadata = whole.if_contains("metadata");
  return metadata != nullptr && metadata->is_object() && metadata->get_object().contains(kDisabled);
}

/// The bytes go from the wire into the page of the secret. A secret of another length is no key,
/// nor one that the account may not read: whether it is there is nothing to those who name it.
Result<Barbican::HeldKey> Barbican::fetch(std::string const& key) {
  forbid_core_dumps(); // before the key is in memory
  Secret secret;
  std::size_t count = 0;
  auto const take = [&](Response const&, std::span<std::byte const> bytes) -> Result<> {
    auto const room =
        std::as_writable_bytes(secret.room()).subspan(std::min(count, Secret::kBytes));
    std::ranges::copy(bytes.first(std::min(bytes.size(), room.size())), room.begin());
    count += bytes.size();
    return {};
  };
  Request request{.url = "/secrets/" + key + "/payload",
                  .headers = {{"Accept", "application/octet-stream"}}};
  request.download = take;
  auto const answer = TRY(ask(std::move(request)));
  bool const is_key = answer.status == 200 && count == Secret::kBytes;
  auto state = is_key ? KeyState::enabled : KeyState::missing;
  if (is_key && TRY(is_disabled(key))) state = KeyState::disabled;
  auto const until = std::chrono::steady_clock::now() + options_.cache;
  return std::make_shared<Held const>(state, std::move(secret), until);
}

Result<Barbican::HeldKey> Barbican::look(std::string_view key) {
  if (!is_uuid(key))
    return std::make_shared<Held const>(KeyState::missing, Secret(),
                                        std::chrono::steady_clock::time_point{});
  std::string const id(key);
  {
    std::lock_guard const lock(mutex_);
    auto const now = std::chrono::steady_clock::now();
    std::erase_if(held_, [now](auto const& each) { return each.second->until <= now; });
    if (auto const at = held_.find(id); at != held_.end()) return at->second;
  }
  auto fetched = TRY(fetch(id));
  std::lock_guard const lock(mutex_);
  if (fetched->state != KeyState::missing) held_.insert_or_assign(id, fetched);
  return fetched;
}

Result<Barbican::HeldKey> Barbican::usable(std::string_view key) {
  auto held = TRY(look(key));
  if (held->state == KeyState::missing) return error(Fault::key_missing);
  if (held->state == KeyState::disabled) return error(Fault::key_disabled);
  return held;
}

Result<KeyState> Barbican::state(std::string_view key) { return TRY(look(key))->state; }

Result<WrappedKey> Barbican::wrap(std::string_view key, Secret const& data_key,
                                  std::string_view bound_to) {
  auto const held = TRY(usable(key));
  return WrappedKey{std::string(key), wrap_with(held->secret, key, data_key, bound_to)};
}

Result<Secret> Barbican::unwrap(WrappedKey const& wrapped, std::string_view bound_to) {
  auto const held = TRY(usable(wrapped.key));
  return unwrap_with(held->secret, wrapped, bound_to);
}

/// The keys of our project that the query string asks for, oldest first.
Result<std::vector<Key>> Barbican::find(std::string_view question) {
  std::vector<Key> keys;
  for (std::size_t page = kPage; page == kPage;) {
    auto const answer = TRY(
        ask({.url = fmt::format("/secrets?{}&limit={}&offset={}", question, kPage, keys.size())}));
    if (answer.status != 200) return refused(answer.status);
    auto const whole = TRY(object_of(answer.body));
    auto const* const secrets = whole.if_contains("secrets");
    if (secrets == nullptr || !secrets->is_array()) return stranger();
    page = secrets->get_array().size();
    for (auto const& secret : secrets->get_array()) {
      if (secret.is_object()) keys.push_back(key_in(secret.get_object()));
    }
  }
  std::ranges::sort(keys, {}, [](Key const& key) { return std::tie(key.created_at.us, key.id); });
  return keys;
}

Result<std::vector<Key>> Barbican::list() {
  auto keys = TRY(find("alg=aes&bits=256"));
  for (auto& key : keys) {
    if (TRY(is_disabled(key.id))) key.state = KeyState::disabled;
  }
  return keys;
}

Result<Key> Barbican::add(std::string_view name) {
  forbid_core_dumps();
  auto const secret = Secret::random();
  NewSecret made(name, secret);
  auto const answer = TRY(ask({.method = "POST",
                               .url = "/secrets",
                               .headers = {{"Content-Type", "application/json"}},
                               .body = made.body()}));
  if (answer.status != 201) return refused(answer.status);
  auto const whole = TRY(object_of(answer.body));
  auto key = key_in(whole);
  key.name = name;
  key.created_at = clock_.now();
  return key;
}

Result<Key> Barbican::create(std::string_view name) {
  TRY(check_key_name(name));
  auto const same = TRY(find("name=" + text::percent_encode(name)));
  if (!same.empty()) return error(Fault::name_taken, fmt::format("there is a key named {}", name));
  return add(name);
}

/// Two servers may make one at the same moment: the oldest counts.
Result<std::string> Barbican::default_key(ProjectId const& project) {
  if (!is_project_id(project.text)) return error(Fault::invalid_project_id);
  auto const name = default_key_name(project);
  auto const question = "name=" + text::percent_encode(name);
  auto known = TRY(find(question));
  if (known.empty()) {
    TRY(add(name));
    known = TRY(find(question));
  }
  if (known.empty()) return failed("a secret that was made is not there");
  return std::move(known.front().id);
}

Result<KeyState> Barbican::default_key_state(ProjectId const& project) {
  auto const known = TRY(find("name=" + text::percent_encode(default_key_name(project))));
  return known.empty() ? KeyState::missing : TRY(state(known.front().id));
}

Result<> Barbican::set_enabled(std::string_view key, bool enabled) {
  if (!is_uuid(key)) return error(Fault::key_missing);
  auto const place = fmt::format("/secrets/{}/metadata", key);
  auto const entry = fmt::format(R"({{"key":"{}","value":"true"}})", kDisabled);
  auto const answer =
      enabled ? TRY(ask({.method = "DELETE", .url = fmt::format("{}/{}", place, kDisabled)}))
              : TRY(ask({.method = "POST",
                         .url = place,
                         .headers = {{"Content-Type", "application/json"}},
                         .body = entry}));
  if (answer.status == 403) return error(Fault::forbidden, "only its owner can do this");
  // That it is so already is as good: 409 for an entry that is there.
  if (answer.status == 404 && !enabled) return error(Fault::key_missing);
  std::lock_guard const lock(mutex_);
  held_.erase(std::string(key));
  return {};
}

} // namespace vitrine::store
