#include "identity/keystone/keystone.hpp"
#include "net/test_client.hpp"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <thread>

namespace vitrine::identity::keystone {
namespace {

using net::testing::local_options;
using net::testing::reply;
using net::testing::TestHandler;

Time const kNow = *parse_time("2030-01-01T00:00:00Z");
constexpr std::int64_t kSecond = kMicrosecondsPerSecond;

std::string token_body(std::string const& project, std::string const& role,
                       std::string const& expires_at = "2030-01-01T01:00:00.000000Z") {
  return R"({"token":{"user":{"id":"u1","name":"ann","domain":{"id":"default"}},)"
         R"("project":{"id":")" +
         project + R"(","domain":{"id":"d1"}},"roles":[{"id":"r","name":")" + role +
         R"("}],"expires_at":")" + expires_at + R"("}})";
}

/// A Keystone that says what a test scripts: answers by target and subject, logins by number.
class KeystoneTest : public ::testing::Test {
protected:
  KeystoneTest() {
    handler_.on_handle = [this](net::Request& seen) { return answer(seen); };
    server_ = net::testing::start(local_options(), handler_);
    options_.auth_url = "http://127.0.0.1:" + std::to_string(server_->port()) + "/v3";
    options_.account = {.username = "svc",
                        .password = "pw",
                        .user_domain = "Default",
                        .project = "service",
                        .project_domain = "Default"};
    tokens_["good"] = token_body("p1", "Member");
  }

  net::Reply answer(net::Request& seen) {
    std::lock_guard const lock(mutex_);
    if (seen.method == "POST") {
      ++logins_;
      login_body_ = seen.body;
      auto made = reply(login_status_, token_body("service", "service"));
      made.headers.push_back({"X-Subject-Token", "own" + std::to_string(logins_)});
      return made;
    }
    ++asked_;
    targets_.push_back(seen.target);
    if (seen.header("X-Auth-Token") != own_token_) return reply(401, refusal_);
    if (status_ != 200) return reply(status_, refusal_);
    if (auto const at = documents_.find(seen.target); at != documents_.end()) {
      return reply(200, at->second);
    }
    auto const at = tokens_.find(std::string(seen.header("X-Subject-Token").value_or("-")));
    return at == tokens_.end() ? reply(404, refusal_) : reply(200, at->second);
  }

  Keystone& keystone() {
    if (!keystone_) keystone_.emplace(options_, clock_, metrics_);
    return *keystone_;
  }
  /// Orders what the test did before and does after against what the server's threads do meanwhile.
  template <class Call>
  auto ordered(Call call) {
    {
      std::lock_guard const lock(mutex_);
    }
    auto outcome = call(keystone());
    {
      std::lock_guard const lock(mutex_);
    }
    return outcome;
  }
  Checks::Outcome ask(Shown const& shown) {
    return ordered([&](Keystone& asked) { return asked.caller_of(shown); });
  }
  Result<bool> usable(std::string const& project) {
    return ordered([&](Keystone& asked) { return asked.projects().is_usable({project}); });
  }
  Fault fault_of(Shown const& shown) {
    auto const caller = ask(shown);
    return caller ? Fault::internal : caller.error().fault;
  }

  TestHandler handler_;
  std::unique_ptr<net::Server> server_;
  FakeClock clock_{kNow};
  ops::Metrics metrics_;
  Options options_;
  std::optional<Keystone> keystone_;
  std::mutex mutex_;
  std::map<std::string, std::string> tokens_;
  std::map<std::string, std::string> documents_;
  std::string own_token_{"own1"};
  std::string login_body_;
  std::string refusal_{R"({"error":{"code":404,"title":"Not Found","message":"No such thing."}})"};
  std::vector<std::string> targets_;
  int status_{200};
  int login_status_{201};
  int logins_{0};
  int asked_{0};
};

TEST_F(KeystoneTest, turns_a_token_into_a_caller) {
  options_.rules.role_aliases = {{"te_admin", "admin"}};
  tokens_["boss"] = token_body("p2", "te_admin");
  auto const caller = ask({"good"});
  ASSERT_TRUE(caller);
  EXPECT_EQ((*caller)->user.text, "u1");
  EXPECT_EQ((*caller)->user_name, "ann");
  EXPECT_EQ((*caller)->project.text, "p1");
  EXPECT_EQ((*caller)->domain.text, "d1");
  EXPECT_EQ((*caller)->roles, (std::vector<std::string>{"member", "reader"}));
  EXPECT_FALSE((*caller)->is_admin);
  EXPECT_TRUE(ask({"boss"}).value()->is_admin);
  EXPECT_EQ(targets_.front(), "/v3/auth/tokens?nocatalog");
  EXPECT_EQ(logins_, 1);
  EXPECT_EQ(login_body_,
            R"({"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"svc",)"
            R"("domain":{"name":"Default"},"password":"pw"}}},"scope":{"project":{"name":)"
            R"("service","domain":{"name":"Default"}}}}})");
}

TEST_F(KeystoneTest, logs_in_with_an_application_credential) {
  options_.account = {.credential_id = "c1", .credential_secret = "s1"};
  EXPECT_TRUE(ask({"good"}));
  EXPECT_EQ(login_body_, R"({"auth":{"identity":{"methods":["application_credential"],)"
                         R"("application_credential":{"id":"c1","secret":"s1"}}}})");
}

TEST_F(KeystoneTest, reads_the_password_file_at_each_login) {
  auto const file = std::filesystem::path(::testing::TempDir()) / ("pw" + new_hex_id());
  std::ofstream(file) << "first\n";
  options_.account.password_file = file;
  EXPECT_TRUE(ask({"good"}));
  EXPECT_NE(login_body_.find("\"first\""), std::string::npos);
  std::ofstream(file) << "second\n";
  own_token_ = "own2";
  tokens_["other"] = tokens_["good"];
  EXPECT_TRUE(ask({"other"}));
  EXPECT_NE(login_body_.find("\"second\""), std::string::npos);
  std::filesystem::remove(file);
  own_token_ = "own3";
  EXPECT_EQ(fault_of({"third"}), Fault::identity_unavailable);
}

TEST_F(KeystoneTest, believes_a_good_token_for_a_while) {
  auto const first = ask({"good"}).value();
  clock_.advance(9 * kSecond);
  EXPECT_EQ(ask({"good"}).value(), first);
  tokens_.clear(); // revoked
  clock_.advance(1 * kSecond);
  EXPECT_EQ(fault_of({"good"}), Fault::unauthenticated);
  EXPECT_EQ(asked_, 2);
}

TEST_F(KeystoneTest, tells_from_memory_what_it_believes) {
  auto const asked = ask({"good"}).value();
  auto const known = [&](Shown const& shown) { return keystone_->known_caller(shown); };
  EXPECT_EQ(known({"good"}), asked);
  EXPECT_EQ(known({.token = "good", .service_token = "good"}), nullptr);
  EXPECT_EQ(known({"unknown"}), nullptr);
  EXPECT_EQ(known({""}), nullptr);
  keystone_->forget_callers();
  EXPECT_EQ(known({"good"}), nullptr);
  EXPECT_EQ(asked_, 1);
}

TEST_F(KeystoneTest, believes_no_token_beyond_its_expiry) {
  tokens_["short"] = token_body("p1", "member", "2030-01-01T00:00:02.000000Z");
  EXPECT_TRUE(ask({"short"}));
  tokens_.clear();
  clock_.advance(2 * kSecond);
  EXPECT_EQ(fault_of({"short"}), Fault::unauthenticated);
}

TEST_F(KeystoneTest, remembers_a_refusal_for_a_few_seconds) {
  EXPECT_EQ(fault_of({"late"}), Fault::unauthenticated);
  tokens_["late"] = tokens_["good"];
  clock_.advance(3 * kSecond - 1);
  EXPECT_EQ(fault_of({"late"}), Fault::unauthenticated);
  EXPECT_EQ(asked_, 1);
  clock_.advance(1);
  EXPECT_TRUE(ask({"late"}));
}

TEST_F(KeystoneTest, believes_nothing_when_told_so) {
  options_.cache_seconds = 0;
  EXPECT_TRUE(ask({"good"}));
  EXPECT_TRUE(ask({"good"}));
  EXPECT_EQ(fault_of({"bad"}), Fault::unauthenticated);
  EXPECT_EQ(fault_of({"bad"}), Fault::unauthenticated);
  EXPECT_EQ(asked_, 4);
}

TEST_F(KeystoneTest, asks_nothing_about_what_is_no_token) {
  std::string const too_long(4097, 'a');
  for (std::string_view const text : {"", "a b", "a\x01", "\xc3\xa4", too_long.c_str()}) {
    EXPECT_EQ(fault_of({text}), Fault::unauthenticated);
  }
  EXPECT_EQ(asked_ + logins_, 0);
}

TEST_F(KeystoneTest, asks_once_for_all_who_wait) {
  std::promise<void> release;
  auto const released = release.get_future().share();
  handler_.on_handle = [this, released](net::Request& seen) {
    if (seen.method == "GET") released.wait();
    return answer(seen);
  };
  keystone();
  std::atomic<int> good{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&] { good += ask({"good"}).has_value(); });
  }
  release.set_value();
  for (auto& caller : callers)
    caller.join();
  EXPECT_EQ(good, 8);
  EXPECT_EQ(asked_, 1);
}

TEST_F(KeystoneTest, renews_its_own_token_when_that_is_refused_or_ends) {
  EXPECT_TRUE(ask({"good"}));
  own_token_ = "own2";
  clock_.advance(10 * kSecond);
  EXPECT_TRUE(ask({"good"}));
  EXPECT_EQ(logins_, 2);
  clock_.advance(3600 * kSecond - 70 * kSecond); // 60 s before it ends
  own_token_ = "own3";
  auto const asked = asked_;
  EXPECT_TRUE(ask({"good"}));
  EXPECT_EQ(logins_, 3);
  EXPECT_EQ(asked_, asked + 1);
}

TEST_F(KeystoneTest, is_unavailable_when_its_own_login_is_refused) {
  login_status_ = 401;
  EXPECT_EQ(fault_of({"good"}), Fault::identity_unavailable);
  EXPECT_EQ(asked_, 0);
  login_status_ = 201;
  own_token_ = "own2";
  clock_.advance(5 * kSecond);
  EXPECT_TRUE(ask({"good"}));
}

// With one login for each request Keystone locked the account before its password was put right.
TEST_F(KeystoneTest, tries_a_login_that_was_refused_again_after_a_pause) {
  login_status_ = 401;
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(fault_of({"good"}), Fault::identity_unavailable);
  EXPECT_EQ(logins_, 1);
  clock_.advance(5 * kSecond - 1);
  EXPECT_EQ(fault_of({"good"}), Fault::identity_unavailable);
  EXPECT_EQ(logins_, 1);
  clock_.advance(1);
  login_status_ = 503;
  EXPECT_EQ(fault_of({"good"}), Fault::identity_unavailable);
  EXPECT_EQ(fault_of({"good"}), Fault::identity_unavailable);
  EXPECT_EQ(logins_, 3) << "an outage is no reason to wait";
}

TEST_F(KeystoneTest, is_unavailable_for_what_it_does_not_expect) {
  for (int const status : {403, 429, 500, 503, 302}) {
    status_ = status;
    EXPECT_EQ(fault_of({"good"}), Fault::identity_unavailable) << status;
  }
  status_ = 400;
  EXPECT_EQ(fault_of({"odd"}), Fault::unauthenticated);
  status_ = 200;
  for (std::string const body : {"", "[]", "{}", R"({"token":[]})", R"({"token":{"user":{}}})",
                                 R"({"token":{"user":{"id":"u"},"expires_at":"soon"}})"}) {
    tokens_["good"] = body;
    EXPECT_EQ(fault_of({"good"}), Fault::identity_unavailable) << body;
  }
  tokens_["good"] = token_body("p1", "member");
  EXPECT_TRUE(ask({"good"})) << "nothing of it was remembered";
}

// A good token was refused, and a project taken for unknown, by a proxy that had no way to
// Keystone.
TEST_F(KeystoneTest, takes_no_refusal_from_others) {
  for (std::string const body :
       {"<html>404 page not found</html>", "", "{}", R"({"error":"no"})"}) {
    refusal_ = body;
    for (int const status : {404, 400}) {
      status_ = status;
      EXPECT_EQ(fault_of({"good"}), Fault::identity_unavailable) << status << body;
      EXPECT_EQ(usable("p1").error().fault, Fault::identity_unavailable) << status << body;
    }
  }
  status_ = 200;
  EXPECT_TRUE(ask({"good"})) << "nothing of it was remembered";
}

TEST_F(KeystoneTest, recovers_from_an_outage) {
  auto again = local_options();
  again.port = server_->port();
  EXPECT_TRUE(ask({"good"}));
  server_.reset();
  EXPECT_TRUE(ask({"good"})) << "still believed";
  clock_.advance(10 * kSecond);
  auto const failed = ask({"good"});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().fault, Fault::identity_unavailable);
  EXPECT_EQ(failed.error().detail, "") << "callers need not know where it is";
  server_ = net::testing::start(again, handler_);
  EXPECT_TRUE(ask({"good"}));
}

TEST_F(KeystoneTest, takes_an_expired_token_from_a_service) {
  tokens_["nova"] = token_body("service", "Service");
  tokens_["user"] = token_body("p1", "member");
  tokens_["old"] = token_body("p1", "member", "2029-12-31T23:00:00.000000Z");
  EXPECT_TRUE(ask({"old", "nova"}));
  EXPECT_EQ(targets_.back(), "/v3/auth/tokens?nocatalog&allow_expired=1");
  auto const asked = asked_;
  EXPECT_TRUE(ask({"old", "nova"}));
  EXPECT_EQ(asked_, asked) << "both are believed";
  EXPECT_TRUE(ask({"good", "user"}));
  EXPECT_EQ(targets_.back(), "/v3/auth/tokens?nocatalog") << "no service, no expired tokens";
  EXPECT_EQ(fault_of({"good", "nonsense"}), Fault::unauthenticated);
  tokens_.erase("old");
  clock_.advance(10 * kSecond);
  EXPECT_EQ(fault_of({"old", "nova"}), Fault::unauthenticated);
}

TEST_F(KeystoneTest, tells_which_projects_can_be_shared_with) {
  auto const project = [](std::string const& domain, bool enabled, bool is_domain) {
    return R"({"project":{"domain_id":")" + domain + R"(","enabled":)" +
           (enabled ? "true" : "false") + R"(,"is_domain":)" + (is_domain ? "true" : "false") +
           "}}";
  };
  documents_ = {{"/v3/projects/on", project("up", true, false)},
                {"/v3/projects/off", project("up", false, false)},
                {"/v3/projects/sunk", project("down", true, false)},
                {"/v3/projects/up", project("up", true, true)},
                {"/v3/projects/a%2Fb", project("up", true, false)},
                {"/v3/domains/up", R"({"domain":{"enabled":true}})"},
                {"/v3/domains/down", R"({"domain":{"enabled":false}})"}};
  for (auto const& [id, expected] : {std::pair("on", true),
                                     {"off", false},
                                     {"sunk", false},
                                     {"up", false},
                                     {"none", false},
                                     {"", false},
                                     {"a/b", true}}) {
    EXPECT_EQ(usable(id).value(), expected) << id;
  }
  documents_.clear();
  clock_.advance(10 * kSecond - 1);
  EXPECT_TRUE(usable("on").value());
  clock_.advance(1);
  EXPECT_FALSE(usable("on").value());
  status_ = 500;
  EXPECT_FALSE(usable("on").value());
  clock_.advance(2 * kSecond);
  EXPECT_EQ(usable("on").error().fault, Fault::identity_unavailable);
}

TEST_F(KeystoneTest, finds_the_first_access_key_for_the_project) {
  documents_ = {{"/v3/users/u1/credentials/OS-EC2",
                 R"({"credentials":[{"tenant_id":"p2","access":"a2","secret":"s2"},)"
                 R"({"tenant_id":"p1","access":"a1","secret":"s1"},)"
                 R"({"tenant_id":"p1","access":"a3","secret":"s3"}]})"}};
  auto const key_of = [&](UserId const& user, ProjectId const& project) {
    return ordered([&](Keystone& asked) { return asked.object_store_key_of(user, project); });
  };
  auto const key = key_of({"u1"}, {"p1"}).value();
  ASSERT_TRUE(key);
  EXPECT_EQ(key->access, "a1");
  EXPECT_EQ(key->secret, "s1");
  EXPECT_FALSE(key_of({"u1"}, {"p3"}).value());
  EXPECT_FALSE(key_of({"u2"}, {"p1"}).value());
  status_ = 500;
  EXPECT_EQ(key_of({"u1"}, {"p1"}).error().fault, Fault::identity_unavailable);
}

TEST_F(KeystoneTest, finds_endpoints_in_the_catalog) {
  documents_ = {{"/v3/auth/catalog",
                 R"({"catalog":[{"type":"image","endpoints":[)"
                 R"({"interface":"internal","region":"R","url":"http://in"},)"
                 R"({"interface":"public","region":"R","url":"http://out"}]}]})"}};
  auto const endpoint_of = [&](std::string_view type, std::string_view region) {
    return ordered([&](Keystone& asked) { return asked.endpoint_of(type, region).value(); });
  };
  EXPECT_EQ(endpoint_of("image", "R"), "http://out");
  EXPECT_FALSE(endpoint_of("image", "S"));
  EXPECT_FALSE(endpoint_of("volume", "R"));
}

// As keystoneclient's Ec2Signer makes it.
TEST(Ec2Login, IsSignedAsEc2DoesIt) {
  EXPECT_EQ(ec2_login("abc", "s3cret", kNow),
            R"({"credentials":{"access":"abc","signature":)"
            R"("FB0wiOgWK2W8meWoIJeOkUQP/AEqJCv6TFc61WDGk6k=",)"
            R"("host":"vitrine","verb":"GET","path":"/","params":{"AWSAccessKeyId":"abc",)"
            R"("SignatureMethod":"HmacSHA256","SignatureVersion":"2",)"
            R"("Timestamp":"2030-01-01T00:00:00Z"}}})");
}

} // namespace
} // namespace vitrine::identity::keystone
