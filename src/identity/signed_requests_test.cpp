#include "base/hash.hpp"
#include "base/text.hpp"
#include "identity/builtin/directory_test.hpp"
#include "identity/signed_requests.hpp"
#include "store/metadata/used_signatures.hpp"

#include <array>
#include <fstream>
#include <sys/stat.h>

namespace vitrine::identity {
namespace {

using builtin::kSecond;
constexpr std::string_view kBody = R"({"images":[]})";
constexpr std::int64_t kDataSeconds = 3600;

class SignedRequestsTest : public builtin::TestDirectory {
protected:
  SignedRequestsTest() { restart(3); }

  void restart(std::int64_t attempts_max) {
    auto options = cheap();
    options.access_key_file = (folder / "seal").string();
    open(std::move(options));
    requests = std::make_unique<SignedRequests>(
        directory->access_keys(), *database, clock,
        LoginLimiter::Limits{.attempts_max = attempts_max, .window_seconds = 60}, kDataSeconds);
  }
  builtin::CreatedAccessKey make_key(std::string const& name) {
    auto const user = make_user(name);
    return directory->access_keys().create(user.id, project(name).id, "").value();
  }
  /// A request in form A, at the time of the clock and `seconds` more.
  net::RequestHead sign(std::string const& key, std::string const& secret,
                        std::string const& method, std::string const& hash,
                        std::int64_t seconds = 0) {
    auto date = format_seconds(clock.now() + seconds * kSecond);
    std::erase_if(date, [](char c) { return c == '-' || c == ':'; });
    net::RequestHead head;
    head.method = method;
    head.target = "/v1/cloudimages/members";
    head.content_length = method == "GET" ? 0 : kBody.size();
    auto const show = [&](std::string const& mac) {
      head.headers = {{"Host", "h"},
                      {"X-Sdk-Date", date},
                      {"Authorization", "SDK-HMAC-SHA256 Access=" + key +
                                            ", SignedHeaders=host;x-sdk-date, Signature=" + mac}};
    };
    show(std::string(64, '0'));
    std::array const hashes = {hash};
    auto const texts = signed_texts(*read_signature(head), head, hashes, method != "GET");
    show(text::hex(hmac(secret, texts.at(0))));
    return head;
  }
  net::RequestHead sign(builtin::CreatedAccessKey const& made, std::string const& method,
                        std::int64_t seconds = 0) {
    return sign(made.key.id, made.secret, method, sha256_hex(method == "GET" ? "" : kBody),
                seconds);
  }
  Result<Signer> judge(net::RequestHead const& head, Arrival arrival = Arrival::whole,
                       std::string_view address = "192.0.2.1") {
    return requests->signer_of({.head = head,
                                .body = head.method == "GET" ? "" : kBody,
                                .arrival = arrival,
                                .address = address,
                                .is_read = head.method == "GET"});
  }
  /// Of data that has come, whose head came at that time.
  std::string verdict_on(net::RequestHead const& head, std::string_view data, Time head_came) {
    ArrivedData const arrived{.sha256 = sha256_hex(data), .head_came = head_came};
    auto const signer = requests->signer_of({.head = head,
                                             .body = {},
                                             .arrival = Arrival::streaming,
                                             .address = "192.0.2.1",
                                             .arrived_data = &arrived});
    if (!signer) return std::string(name_of(signer.error().fault));
    return signer->caller ? "good" : "unknown";
  }
  /// Removes used signatures whose time is over.
  std::int64_t forget(Time now) {
    return database
        ->write([&](store::Connection& connection) {
          return store::UsedSignatures(connection).forget(now, 100);
        })
        .value();
  }
  std::string verdict(net::RequestHead const& head, Arrival arrival = Arrival::whole,
                      std::string_view address = "192.0.2.1") {
    auto const signer = judge(head, arrival, address);
    return signer ? "good" : std::string(name_of(signer.error().fault));
  }

  std::unique_ptr<SignedRequests> requests;
};

TEST_F(SignedRequestsTest, AKeyStandsForItsUserInItsProject) {
  auto const made = make_key("ann");
  auto const signer = judge(sign(made, "GET")).value();
  EXPECT_EQ(signer.caller->user_name, "ann");
  EXPECT_EQ(signer.caller->project, project("ann").id);
  EXPECT_EQ(signer.caller->roles, (std::vector<std::string>{"member", "reader"}));
  auto head = sign(made, "GET");
  head.headers.push_back({"X-Project-Id", project("ann").id.text});
  EXPECT_EQ(verdict(head), "good");
  head.headers.back().value = "another";
  EXPECT_EQ(verdict(head), "unauthenticated");
}

TEST_F(SignedRequestsTest, TheDateIsWithinAQuarterOfAnHour) {
  auto const made = make_key("ann");
  EXPECT_EQ(verdict(sign(made, "GET", -900)), "good");
  EXPECT_EQ(verdict(sign(made, "GET", 900)), "good");
  EXPECT_EQ(verdict(sign(made, "GET", -901)), "unauthenticated");
  EXPECT_EQ(verdict(sign(made, "GET", 901)), "unauthenticated");
}

TEST_F(SignedRequestsTest, AWriteIsGoodOnceAndItsRowGoesWithItsTime) {
  auto const made = make_key("ann");
  for (auto const* method : {"POST", "PUT", "PATCH", "DELETE"}) {
    auto const head = sign(made, method);
    EXPECT_EQ(verdict(head, Arrival::head_only), "good") << method; // uses nothing up
    EXPECT_EQ(verdict(head), "good") << method;
    EXPECT_EQ(verdict(head), "unauthenticated") << method;
  }
  auto const read = sign(made, "GET");
  EXPECT_EQ(verdict(read), "good");
  EXPECT_EQ(verdict(read), "good");
  EXPECT_EQ(forget(clock.now() + 2 * SignedRequests::kWindowUs), 0);
  EXPECT_EQ(forget(clock.now() + 2 * SignedRequests::kWindowUs + kSecond), 4);
}

TEST_F(SignedRequestsTest, TheBodyIsTheOneThatWasSigned) {
  auto const made = make_key("ann");
  auto head = sign(made, "POST");
  auto const other = requests->signer_of(
      {.head = head, .body = "{}", .arrival = Arrival::whole, .address = "192.0.2.1"});
  EXPECT_EQ(other.error().fault, Fault::unauthenticated);
  auto const told = [&](std::string const& method, std::string const& hash) {
    auto signed_head = sign(made.key.id, made.secret, method, hash);
    signed_head.headers.push_back({std::string(kPayloadHeader), hash});
    return signed_head;
  };
  EXPECT_EQ(verdict(told("POST", sha256_hex(kBody))), "good");
  EXPECT_EQ(verdict(told("POST", sha256_hex("{}"))), "unauthenticated");
  EXPECT_EQ(verdict(told("POST", "UNSIGNED-PAYLOAD")), "invalid_value");
  auto patch = told("PATCH", "UNSIGNED-PAYLOAD");
  EXPECT_EQ(verdict(patch), "invalid_value");
  patch.headers.push_back({"Content-Type", "application/openstack-images-v2.1-json-patch"});
  EXPECT_EQ(verdict(patch), "good");
}

TEST_F(SignedRequestsTest, DataToComeIsSignedByItsHashOrNotAtAll) {
  auto const made = make_key("ann");
  auto head = sign(made, "PUT");
  head.headers.push_back({std::string(kPayloadHeader), sha256_hex(kBody)});
  EXPECT_EQ(judge(head, Arrival::streaming).value().data_sha256, sha256_hex(kBody));
  auto free = sign(made.key.id, made.secret, "PUT", "UNSIGNED-PAYLOAD");
  free.headers.push_back({std::string(kPayloadHeader), "UNSIGNED-PAYLOAD"});
  EXPECT_EQ(judge(free, Arrival::streaming).value().data_sha256, "");
}

TEST_F(SignedRequestsTest, NobodyIsProvenByDataToComeWhoseHashNoHeaderTells) {
  auto const made = make_key("ann");
  auto head = sign(made, "PUT");
  auto const signer = judge(head, Arrival::streaming).value();
  EXPECT_EQ(signer.caller, nullptr);
  EXPECT_EQ(signer.access_key, made.key.id);
  EXPECT_EQ(verdict(sign("NOBODY", "x", "PUT", sha256_hex(kBody)), Arrival::streaming),
            "unauthenticated");
  EXPECT_EQ(verdict_on(head, "{}", clock.now()), "unauthenticated");
  head.headers.push_back({"X-Project-Id", "another"});
  EXPECT_EQ(judge(head, Arrival::streaming).value().caller, nullptr); // not told yet
  EXPECT_EQ(verdict_on(head, kBody, clock.now()), "unauthenticated");
  head.headers.pop_back();
  EXPECT_EQ(verdict_on(head, kBody, clock.now()), "good");
  EXPECT_EQ(verdict_on(head, kBody, clock.now()), "unauthenticated"); // used by now
}

TEST_F(SignedRequestsTest, DataMayTakeLongerThanItsSignatureIsGood) {
  auto const made = make_key("ann");
  auto const head = sign(made, "PUT");
  auto const came = clock.now() + SignedRequests::kWindowUs; // at the last moment
  clock.advance(SignedRequests::kWindowUs + kDataSeconds * kSecond);
  EXPECT_EQ(verdict_on(head, kBody, came + 1), "unauthenticated");
  EXPECT_EQ(verdict_on(head, kBody, came), "good");
  EXPECT_EQ(forget(clock.now()), 0); // until nothing that came within its time can end any more
  EXPECT_EQ(verdict_on(head, kBody, came), "unauthenticated");
  clock.advance(1);
  EXPECT_EQ(verdict_on(sign(made, "PUT", -1 - kDataSeconds), kBody, came), "unauthenticated");
}

// Who repeats a request may leave out the header that told its hash, and send its data slowly to
// another server, which may wait a day for it.
TEST_F(SignedRequestsTest, ASignatureOfDataIsKeptAsLongAsItsDataMayBeOnItsWayAnywhere) {
  constexpr std::int64_t kDay = 86'400 * kSecond;
  auto const made = make_key("ann");
  auto head = sign(made, "PUT");
  auto const came = clock.now();
  auto with_header = head;
  with_header.headers.push_back({std::string(kPayloadHeader), sha256_hex(kBody)});
  EXPECT_EQ(verdict(with_header, Arrival::streaming), "good");
  requests = std::make_unique<SignedRequests>(
      directory->access_keys(), *database, clock,
      LoginLimiter::Limits{.attempts_max = 3, .window_seconds = 60}, kDay / kSecond);
  clock.advance(kDay);
  EXPECT_EQ(forget(clock.now()), 0);
  EXPECT_EQ(verdict_on(head, kBody, came), "unauthenticated");
  EXPECT_EQ(forget(came + 2 * SignedRequests::kWindowUs + kDay), 0);
  EXPECT_EQ(forget(came + 2 * SignedRequests::kWindowUs + kDay + kSecond), 1);
}

TEST_F(SignedRequestsTest, WrongSignaturesShutTheKeyForTheirAddressOnly) {
  auto const made = make_key("ann");
  auto const wrong = sign(made.key.id, "wrong", "GET", sha256_hex(""));
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(verdict(wrong), "unauthenticated");
  EXPECT_EQ(verdict(sign(made, "GET")), "unauthenticated");
  EXPECT_EQ(verdict(sign(made, "GET"), Arrival::whole, "192.0.2.2"), "good");
  clock.advance(60 * kSecond);
  EXPECT_EQ(verdict(sign(made, "GET")), "good");
  EXPECT_EQ(verdict(sign("NOBODY", "x", "GET", sha256_hex(""))), "unauthenticated");
}

TEST_F(SignedRequestsTest, WhatEndsTheUsersTokensEndsTheKey) {
  auto const made = make_key("ann");
  auto const id = directory->users().find("ann").value().id;
  ASSERT_EQ(verdict(sign(made, "GET")), "good");
  ASSERT_TRUE(directory->users().change(id, {.enabled = false}));
  EXPECT_EQ(verdict(sign(made, "GET")), "unauthenticated");
  ASSERT_TRUE(directory->users().change(id, {.enabled = true}));
  clock.advance(1);
  EXPECT_EQ(verdict(sign(made, "GET")), "good");
  ASSERT_TRUE(directory->projects().change(project("ann").id, {.enabled = false}));
  EXPECT_EQ(verdict(sign(made, "GET")), "unauthenticated");
  ASSERT_TRUE(directory->projects().change(project("ann").id, {.enabled = true}));
  clock.advance(1);
  ASSERT_TRUE(directory->access_keys().remove(made.key.id));
  EXPECT_EQ(verdict(sign(made, "GET")), "unauthenticated");
}

TEST_F(SignedRequestsTest, KeysGoWithTheirUserAndTheirProject) {
  auto const made = make_key("ann");
  auto const other = make_key("bob");
  ASSERT_TRUE(directory->users().remove(made.key.user));
  ASSERT_TRUE(directory->projects().remove(other.key.project));
  EXPECT_TRUE(directory->access_keys().list({}).value().empty());
}

TEST_F(SignedRequestsTest, SecretsAreSealedByAFileOfTheirOwn) {
  auto const made = make_key("ann");
  auto const file = folder / "seal";
  struct stat state{};
  ASSERT_EQ(::stat(file.c_str(), &state), 0);
  EXPECT_EQ(state.st_mode & 0777U, 0600U);
  restart(3);
  EXPECT_EQ(verdict(sign(made, "GET")), "good");
  std::filesystem::rename(file, folder / "kept");
  restart(3);
  EXPECT_EQ(verdict(sign(made, "GET")), "unavailable");
  auto const refused = directory->access_keys().create(made.key.user, made.key.project, "");
  EXPECT_EQ(refused.error().fault, Fault::unavailable);
  EXPECT_FALSE(std::filesystem::exists(file));
  std::ofstream(file) << std::string(64, 'a') << "\n";
  EXPECT_EQ(verdict(sign(made, "GET")), "unavailable");
  std::filesystem::rename(folder / "kept", file);
  restart(3);
  EXPECT_EQ(verdict(sign(made, "GET")), "good");
}

TEST_F(SignedRequestsTest, AUserHasTwentyKeysAtMost) {
  auto const made = make_key("ann");
  for (int i = 1; i < 20; ++i)
    ASSERT_TRUE(directory->access_keys().create(made.key.user, made.key.project, ""));
  auto const more = directory->access_keys().create(made.key.user, made.key.project, "");
  EXPECT_EQ(more.error().fault, Fault::too_large);
  auto const stranger = directory->projects().create({.name = "elsewhere"}).value().id;
  auto const without_role = directory->access_keys().create(made.key.user, stranger, "");
  EXPECT_EQ(without_role.error().fault, Fault::invalid_value);
}

} // namespace
} // namespace vitrine::identity
