// The signature of a request that was made with an access key (`Authorization: SDK-HMAC-SHA256 …`),
// in the two forms that clients make (contract: ims-api 2.7, clients 8). Pure.
#pragma once

#include "base/clock.hpp"
#include "net/message.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::identity {

/// What a client says instead of a hash when it does not sign the body.
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
inline constexpr std::string_view kPayloadHeader = "X-Sdk-Content-Sha256";

using Mac = std::array<std::uint8_t, 32>;

/// What a request says of its signature.
struct Signature {
  std::string access_key;
  /// `yyyymmdd/region/service/sdk_request` when the key is derived from the secret (form B of the
  /// contract); empty when the secret signs (form A).
  std::string scope;
  std::vector<std::string> headers; ///< names of those that are signed, lower case, as told
  Mac mac{};
  std::string date; ///< X-Sdk-Date as sent
  Time time;        ///< the same
};

/// True when the request shows a signature, however wrong.
bool shows_signature(net::RequestHead const& head) noexcept;

/// Nothing when it is malformed, or does not sign `host` and `x-sdk-date`.
std::optional<Signature> read_signature(net::RequestHead const& head);

/// The texts of which a client may have signed one, for a body of one of these hashes: clients
/// differ in what they hash when there is no body. Empty when path or query cannot be decoded, a
/// signed header is missing or there twice, or (form B) a write repeats a key of its query, of
/// which only the first value would be signed.
std::vector<std::string> signed_texts(Signature const& signature, net::RequestHead const& head,
                                      std::span<std::string const> payload_hashes, bool has_body);

/// True when the secret signed one of the texts. Takes the same time whichever, if any.
bool is_signed_by(std::string_view secret, Signature const& signature,
                  std::span<std::string const> texts);

/// HMAC-SHA256 under a key of any length.
Mac hmac(std::string_view key, std::string_view text);

} // namespace vitrine::identity
