#include "identity/signed_requests.hpp"

#include "base/hash.hpp"
#include "base/text.hpp"
#include "ops/log.hpp"
#include "store/metadata/database.hpp"
#include "store/metadata/used_signatures.hpp"

#include <fmt/format.h>
#include <utility>

namespace vitrine::identity {
namespace {

// Signs nothing that anybody asks for; stands for the secret of a key that is not there.
constexpr std::string_view kNoSecret = "no secret has this many characters here";

Error no_good() { return error(Fault::unauthenticated); }

// The one body that a client leaves unsigned although it is JSON: huaweicloudsdkims takes the media
// types of the Image API's PATCH for data (contract: clients 8).
bool is_image_patch(net::RequestHead const& head) {
  return head.method == "PATCH" &&
         head.header("Content-Type").value_or("").starts_with("application/openstack-images-v2");
}

// What the client may have put into its signature for the body, as far as that is known.
struct Payload {
  std::vector<std::string> hashes{}; ///< none: the body is to come, and no header tells its hash
  bool has_body{false};
  std::string data_sha256{};
};

Result<Payload> unsigned_payload(SignedRequest const& request) {
  bool const allowed = request.arrival == Arrival::streaming || is_image_patch(request.head);
  if (allowed) return Payload{.hashes = {std::string(kUnsignedPayload)}, .has_body = true};
  return error(Fault::invalid_value,
               fmt::format("{}: the signature must cover the body.", kPayloadHeader),
               std::string(kPayloadHeader));
}

Result<Payload> payload_of(SignedRequest const& request) {
  auto const& head = request.head;
  auto const told = head.header(kPayloadHeader);
  bool const whole = request.arrival == Arrival::whole;
  if (whole ? request.body.empty() : !head.has_body()) {
    // Some clients sign the hash of nothing whatever the header says.
    Payload none{.hashes = {sha256_hex("")}};
    if (told) none.hashes.emplace_back(*told);
    return none;
  }
  if (told == kUnsignedPayload) return unsigned_payload(request);
  Payload payload{.has_body = true};
  if (whole) {
    auto const hash = sha256_hex(request.body);
    if (told && !text::equals_ignoring_case(*told, hash)) return no_good();
    payload.hashes.push_back(told ? std::string(*told) : hash);
  } else if (told) {
    payload.hashes.emplace_back(*told);
    if (request.arrival == Arrival::streaming) payload.data_sha256 = text::to_lower(*told);
  } else if (request.arrived_data != nullptr) {
    payload.hashes.push_back(request.arrived_data->sha256);
  }
  return payload;
}

} // namespace

Result<Signer> SignedRequests::signer_of(SignedRequest const& request) {
  auto const signature = read_signature(request.head);
  if (!signature || !is_timely(*signature, request.arrived_data)) return no_good();
  auto payload = TRY(payload_of(request));
  bool const body_known = !payload.hashes.empty();
  auto const texts = signed_texts(*signature, request.head, payload.hashes, payload.has_body);
  // By key and address together: who knows a key, which is no secret, cannot lock its owner out.
  auto const suspect = fmt::format("{}\n{}", signature->access_key, request.address);
  auto const now = clock_.now();
  if (auto const admission = limiter_.allows(suspect, suspect, now); !admission) {
    if (!admission.begins.empty()) {
      ops::log_warning("signature.limited",
                       {{"access_key", signature->access_key}, {"address", request.address}});
    }
    return no_good();
  }
  auto holder = proven(*signature, texts, body_known);
  if (!holder) {
    if (holder.error().fault == Fault::unauthenticated) limiter_.failed(suspect, suspect, now);
    return std::move(holder).error();
  }
  if (!body_known && request.arrival == Arrival::streaming) {
    return Signer{.caller = {}, .access_key = signature->access_key};
  }
  std::shared_ptr<model::Caller const> caller(*holder, &(*holder)->caller);
  auto const project = request.head.header("X-Project-Id").value_or("");
  if (!project.empty() && project != caller->project.text) return no_good();
  if (request.arrival != Arrival::head_only && !request.is_read) {
    TRY(use_once(*signature, request.arrival));
  }
  return Signer{.caller = std::move(caller), .data_sha256 = std::move(payload.data_sha256)};
}

// A wrong signature takes the same steps for a key that is known, for one that is not, and for
// none.
Result<std::shared_ptr<KeyHolder const>> SignedRequests::proven(Signature const& signature,
                                                                std::span<std::string const> texts,
                                                                bool body_known) {
  auto const signed_by = [&](std::string_view secret) {
    return !body_known || is_signed_by(secret, signature, texts);
  };
  auto known = keys_.known(signature.access_key);
  bool const is_known = signed_by(known ? std::string_view(known->secret) : kNoSecret);
  if (known && is_known) return known;
  auto const secret = TRY(keys_.secret_of(signature.access_key));
  bool const right = signed_by(secret ? std::string_view(*secret) : kNoSecret);
  if (!secret || !right) return no_good();
  return keys_.holder_of(signature.access_key, *secret);
}

// Of data that was waited for the time of its head counts, as long as the row of a signature
// outlives it.
bool SignedRequests::is_timely(Signature const& signature, ArrivedData const* arrived) const {
  auto const now = clock_.now();
  auto const came = arrived == nullptr ? now : arrived->head_came;
  return came + -kWindowUs <= signature.time && signature.time <= came + kWindowUs &&
         now <= came + data_us_;
}

Result<> SignedRequests::use_once(Signature const& signature, Arrival arrival) {
  // Twice the window, since the clocks of servers differ. The same data may be on its way a second
  // time, with or without a header that tells its hash, and to a server that waits longer for it.
  auto const waiting_us = arrival == Arrival::streaming ? kDataUsMax : 0;
  auto const forget_at = signature.time + (2 * kWindowUs + waiting_us);
  bool const fresh = TRY(database_.write([&](store::Connection& connection) {
    return store::UsedSignatures(connection).add(text::hex(signature.mac), forget_at);
  }));
  if (fresh) return {};
  // The signature was right, so this tells nobody a secret.
  return error(Fault::unauthenticated,
               "This signature has been used: sign the request again, with another time.");
}

} // namespace vitrine::identity
