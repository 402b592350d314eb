// Who sent a request that is signed with an access key (docs/decisions/0026-access-keys.md).
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "identity/key_lookup.hpp"
#include "identity/login_limiter.hpp"
#include "identity/signature.hpp"
#include "model/caller.hpp"
#include "net/message.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::store {
class Database;
}

namespace vitrine::identity {

/// How far the body has come when a request is judged.
enum class Arrival : std::uint8_t {
  head_only, ///< it is long, and read only once the head is found good
  whole,     ///< it is there
  streaming, ///< image data, which comes while it is stored
};

/// Image data that has come before anybody could be proven to send it.
struct ArrivedData {
  std::string sha256; ///< in hex
  Time head_came;     ///< the signature had to be of that time; the data may take longer
};

struct SignedRequest {
  net::RequestHead const& head;
  std::string_view body; ///< when it is `whole`
  Arrival arrival;
  std::string_view address;                 ///< of the client
  bool is_read{false};                      ///< changes nothing, and may be sent again
  ArrivedData const* arrived_data{nullptr}; ///< `streaming`, when it had to be waited for
};

struct Signer {
  /// Null: the signature covers data that is to come, and no header tells its hash. There is such a
  /// key, and that is all: nothing may be done or told before the request is judged again with
  /// `arrived_data`.
  std::shared_ptr<model::Caller const> caller;
  /// The SHA-256, in hex, that the data to come must have; empty when nothing is to be compared.
  std::string data_sha256{};
  std::string access_key{}; ///< of whom there is no caller yet
};

/// Thread-safe.
class SignedRequests {
public:
  /// How far X-Sdk-Date may be from now, before and after (contract: ims-api 2.2).
  static constexpr std::int64_t kWindowUs = 15 * 60 * kMicrosecondsPerSecond;
  /// How long any server may wait for data: spool.timeout_seconds is a day at most.
  static constexpr std::int64_t kDataUsMax = 86'400 * kMicrosecondsPerSecond;

  /// All must outlive it. The limits count wrong signatures of one key from one address. Data that
  /// is waited for may take `data_seconds`.
  SignedRequests(KeyLookup& keys, store::Database& database, Clock const& clock,
                 LoginLimiter::Limits limits, std::int64_t data_seconds)
      : keys_(keys), database_(database), clock_(clock), limiter_(limits),
        data_us_(data_seconds * kMicrosecondsPerSecond) {}

  /// The caller of the request. A signature of a write is good once, on all servers that share the
  /// database; one whose body is still to come (`head_only`, or no caller) is judged as far as can
  /// be, and not used up. Errors: `unauthenticated`, for whatever is wrong with key, date or
  /// signature; `invalid_value` for `UNSIGNED-PAYLOAD` where the body must be signed;
  /// `identity_unavailable`; those of the database.
  Result<Signer> signer_of(SignedRequest const& request);

private:
  Result<std::shared_ptr<KeyHolder const>>
  proven(Signature const& signature, std::span<std::string const> texts, bool body_known);
  [[nodiscard]] bool is_timely(Signature const& signature, ArrivedData const* arrived) const;
  Result<> use_once(Signature const& signature, Arrival arrival);

  KeyLookup& keys_;
  store::Database& database_;
  Clock const& clock_;
  LoginLimiter limiter_;
  std::int64_t const data_us_;
};

} // namespace vitrine::identity
