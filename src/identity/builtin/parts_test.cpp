#include "identity/builtin/passwords.hpp"
#include "identity/builtin/token.hpp"
#include "identity/login_limiter.hpp"

#include <gtest/gtest.h>

namespace vitrine::identity::builtin {
namespace {

store::SigningKey const kKey{.id = 7, .secret = std::string(64, 'a')};

Token full_token() {
  return {.methods = 5,
          .user = {new_hex_id()},
          .scope = model::Scope::of(ProjectId{new_hex_id()}),
          .issued_at = {1'234'567'890'123'456},
          .expires_at = {-1},
          .audit_id = new_audit_id(),
          .parent_audit_id = new_audit_id(),
          .credential = {new_hex_id()}};
}

} // namespace

TEST(TokenText, holds_everything_in_fewer_than_255_characters) {
  auto const token = full_token();
  auto const text = seal(token, kKey);
  EXPECT_LT(text.size(), 255U);
  auto const sealed = Sealed::parse(text);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->key_id(), 7);
  EXPECT_EQ(sealed->open(kKey), token);
}

TEST(TokenText, keeps_ids_of_any_form) {
  auto token = full_token();
  token.scope = model::Scope::of(DomainId{"default"});
  for (std::string const& id :
       {std::string(), std::string("default"), std::string(22, 'A'), std::string(22, '!'),
        std::string(32, 'F'), std::string(32, 'f'), std::string(200, 'x')}) {
    token.user.text = id;
    EXPECT_EQ(Sealed::parse(seal(token, kKey))->open(kKey), token) << id;
  }
}

TEST(TokenText, opens_with_its_own_key_only) {
  auto const sealed = Sealed::parse(seal(full_token(), kKey));
  EXPECT_FALSE(sealed->open({.id = 7, .secret = std::string(64, 'b')}));
}

TEST(PasswordHash, matches_its_password_only_and_counts_each_check) {
  Passwords passwords({.passes = 1, .memory_kib = 8});
  auto const hash = passwords.hash("secret").value();
  EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$")) << hash;
  EXPECT_NE(passwords.hash("secret").value(), hash) << "each has its own salt";
  EXPECT_TRUE(passwords.verify(hash, "secret"));
  EXPECT_FALSE(passwords.verify(hash, "Secret"));
  EXPECT_FALSE(passwords.verify(hash, ""));
  EXPECT_FALSE(passwords.verify(std::nullopt, "secret"));
  EXPECT_FALSE(passwords.verify("", "secret"));
  EXPECT_FALSE(passwords.verify("no hash", "secret"));
  EXPECT_EQ(passwords.verifications(), 6U);
}

TEST(PasswordHash, any_bytes_are_a_password) {
  Passwords passwords({.passes = 1, .memory_kib = 8});
  std::string const odd("a\0b\xFF", 4);
  auto const hash = passwords.hash(odd).value();
  EXPECT_TRUE(passwords.verify(hash, odd));
  EXPECT_FALSE(passwords.verify(hash, "a"));
}

TEST(LoginLimit, holds_for_a_user_within_the_window) {
  LoginLimiter limiter({.attempts_max = 2, .window_seconds = 10});
  Time now{1'000'000'000};
  EXPECT_TRUE(limiter.admit("u", "a", now));
  EXPECT_TRUE(limiter.admit("u", "b", now));
  EXPECT_FALSE(limiter.admit("u", "c", now));
  EXPECT_TRUE(limiter.admit("v", "c", now));
  EXPECT_FALSE(limiter.admit("u", "a", now + (10 * kMicrosecondsPerSecond - 1)));
  EXPECT_TRUE(limiter.admit("u", "a", now + 10 * kMicrosecondsPerSecond));
}

TEST(LoginLimit, holds_for_an_address_ten_times_as_high_and_for_a_network_of_ipv6) {
  LoginLimiter limiter({.attempts_max = 1, .window_seconds = 10});
  Time const now{1'000'000'000};
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(limiter.admit("u" + std::to_string(i), "10.0.0.1", now));
    EXPECT_TRUE(limiter.admit("v" + std::to_string(i), "2001:db8::" + std::to_string(i), now));
  }
  EXPECT_FALSE(limiter.admit("w", "10.0.0.1", now));
  EXPECT_TRUE(limiter.admit("w", "10.0.0.2", now));
  EXPECT_FALSE(limiter.admit("x", "2001:db8::99", now));
  EXPECT_TRUE(limiter.admit("x", "2001:db8:0:1::99", now));
}

TEST(LoginLimit, says_once_in_a_window_that_it_begins_to_hold) {
  LoginLimiter limiter({.attempts_max = 1, .window_seconds = 10});
  Time now{1'000'000'000};
  EXPECT_EQ(limiter.admit("u", "a", now).begins, "");
  EXPECT_EQ(limiter.admit("u", "a", now).begins, "user");
  EXPECT_EQ(limiter.allows("u", "b", now).begins, "");
  now = now + 10 * kMicrosecondsPerSecond;
  EXPECT_TRUE(limiter.admit("u", "a", now));
  EXPECT_EQ(limiter.admit("u", "a", now).begins, "user");
  for (int i = 1; i < 10; ++i)
    EXPECT_TRUE(limiter.admit(std::to_string(i), "a", now));
  EXPECT_EQ(limiter.admit("v", "a", now).begins, "address");
  EXPECT_EQ(limiter.admit("w", "a", now).begins, "");
}

TEST(LoginLimit, is_not_forgotten_in_a_flood_of_names) {
  LoginLimiter limiter({.attempts_max = 2, .window_seconds = 10});
  Time const now{1'000'000'000};
  EXPECT_TRUE(limiter.admit("u", "a", now));
  EXPECT_TRUE(limiter.admit("u", "a", now));
  int admitted = 0;
  for (int i = 0; i < 70'000; ++i)
    admitted += limiter.admit("name " + std::to_string(i), "b", now) ? 1 : 0;
  EXPECT_EQ(admitted, 20) << "what one address has";
  EXPECT_FALSE(limiter.admit("u", "c", now));
}

TEST(LoginLimit, of_a_full_table_forgets_the_fewest_attempts_and_the_oldest_first) {
  LoginLimiter limiter({.attempts_max = 2, .window_seconds = 10, .counts_max = 16});
  Time now{1'000'000'000};
  for (auto const* user : {"guessed", "guessed", "old", "new"}) {
    EXPECT_TRUE(limiter.admit(user, user, now));
    now = now + 1;
  }
  for (int i = 0; i < 14; ++i) // fill the table; three are forgotten for the last
    EXPECT_TRUE(limiter.admit("n" + std::to_string(i), "a" + std::to_string(i), now));
  EXPECT_FALSE(limiter.admit("guessed", "x", now));
  EXPECT_FALSE(limiter.admit("n13", "x", now) && limiter.admit("n13", "x", now));
  EXPECT_TRUE(limiter.admit("old", "x", now) && limiter.admit("old", "x", now));
  for (int i = 0; i < 1'000; ++i) // a flood from everywhere, of names and of addresses
    EXPECT_TRUE(limiter.admit("f" + std::to_string(i), "g" + std::to_string(i), now));
  EXPECT_FALSE(limiter.admit("guessed", "y", now));
}

TEST(LoginLimit, of_a_full_table_forgets_what_is_over_before_all_else) {
  LoginLimiter limiter({.attempts_max = 2, .window_seconds = 10, .counts_max = 8});
  Time now{1'000'000'000};
  for (int i = 0; i < 7; ++i) {
    EXPECT_TRUE(limiter.admit("n" + std::to_string(i), "a", now));
    EXPECT_TRUE(limiter.admit("n" + std::to_string(i), "a", now));
  }
  now = now + 5 * kMicrosecondsPerSecond;
  EXPECT_TRUE(limiter.admit("once", "b", now));
  now = now + 5 * kMicrosecondsPerSecond;
  EXPECT_TRUE(limiter.admit("one more", "b", now));
  EXPECT_TRUE(limiter.admit("once", "b", now));
  EXPECT_FALSE(limiter.admit("once", "b", now)) << "it was not forgotten";
}

TEST(LoginLimit, success_starts_the_user_afresh) {
  LoginLimiter limiter({.attempts_max = 1, .window_seconds = 10});
  Time const now{1'000'000'000};
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(limiter.admit("u", "a", now));
    limiter.forgive("u", "a");
  }
}

} // namespace vitrine::identity::builtin
