#include "identity/builtin/directory_test.hpp"
#include "store/metadata/projects.hpp"

#include <algorithm>

namespace vitrine::identity::builtin {

class Login_ : public TestDirectory {};
class Caller_ : public TestDirectory {};

TEST_F(Login_, by_password_gives_the_project_with_implied_roles) {
  auto const user = make_user("ann");
  auto const issued = directory->tokens().log_in(login_to("ann", "ann"));
  ASSERT_TRUE(issued);
  EXPECT_LT(issued->text.size(), 255U);
  EXPECT_EQ(issued->session.user.id, user.id);
  EXPECT_EQ(issued->session.project->name, "ann");
  EXPECT_EQ(issued->session.token.expires_at, clock.now() + 3600 * kSecond);
  auto const caller = directory->tokens().caller_of({issued->text});
  ASSERT_TRUE(caller);
  EXPECT_EQ((*caller)->user, user.id);
  EXPECT_EQ((*caller)->user_name, "ann");
  EXPECT_EQ((*caller)->project, project("ann").id);
  EXPECT_EQ((*caller)->domain.text, "default");
  EXPECT_EQ((*caller)->roles, (std::vector<std::string>{"member", "reader"}));
  EXPECT_FALSE((*caller)->is_admin);
}

TEST_F(Login_, by_id_and_by_domain_id_work_too) {
  auto const user = make_user("ann");
  Login login{.password =
                  PasswordProof{.user = {.self = {.id = user.id.text, .name = {}}, .domain = {}},
                                .password = "ann-secret"}};
  login.scope = {
      .kind = WantedScope::Kind::project,
      .target = {.self = {.id = {}, .name = "ann"}, .domain = {.id = "default", .name = {}}}};
  EXPECT_TRUE(directory->tokens().log_in(login));
}

TEST_F(Login_, an_administrator_has_all_roles) {
  make_user("root", "admin");
  auto const caller = directory->tokens().caller_of({token_of("root")}).value();
  EXPECT_EQ(caller->roles, (std::vector<std::string>{"admin", "member", "reader"}));
  EXPECT_TRUE(caller->is_admin);
}

TEST_F(Login_, unknown_user_costs_and_says_the_same_as_a_wrong_password) {
  make_user("ann");
  auto const before = directory->password_checks();
  auto const wrong = directory->tokens().log_in(login_of("ann", "guess"));
  EXPECT_EQ(directory->password_checks(), before + 1);
  auto const unknown = directory->tokens().log_in(login_of("nobody", "guess"));
  EXPECT_EQ(directory->password_checks(), before + 2);
  auto elsewhere = login_of("ann", "guess");
  elsewhere.password->user.domain.name = "Nowhere";
  auto const no_domain = directory->tokens().log_in(elsewhere);
  EXPECT_EQ(directory->password_checks(), before + 3);
  for (auto const* failed : {&wrong, &unknown, &no_domain}) {
    ASSERT_FALSE(*failed);
    EXPECT_EQ(failed->error().fault, Fault::unauthenticated);
    EXPECT_EQ(failed->error().detail, "");
  }
}

TEST_F(Login_, a_disabled_user_and_one_without_a_password_cost_the_same_too) {
  auto const ann = make_user("ann");
  ASSERT_TRUE(directory->users().change(ann.id, {.enabled = false}));
  ASSERT_TRUE(directory->users().create({.name = "robot"}));
  auto const before = directory->password_checks();
  EXPECT_FALSE(directory->tokens().log_in(login_of("ann", "ann-secret")));
  EXPECT_FALSE(directory->tokens().log_in(login_of("robot", "")));
  EXPECT_EQ(directory->password_checks(), before + 2);
}

TEST_F(Login_, is_limited_for_a_user_and_opens_again) {
  make_user("ann");
  make_user("ben");
  for (int i = 0; i < 10; ++i)
    EXPECT_FALSE(directory->tokens().log_in(login_of("ann", "guess")));
  auto const before = directory->password_checks();
  EXPECT_FALSE(directory->tokens().log_in(login_of("ann", "ann-secret")));
  EXPECT_EQ(directory->password_checks(), before) << "over the limit no password is looked at";
  EXPECT_TRUE(directory->tokens().log_in(login_of("ben", "ben-secret")));
  clock.advance(60 * kSecond);
  EXPECT_TRUE(directory->tokens().log_in(login_of("ann", "ann-secret")));
}

TEST_F(Login_, success_gives_the_attempts_back) {
  make_user("ann");
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 9; ++i)
      EXPECT_FALSE(directory->tokens().log_in(login_of("ann", "guess")));
    EXPECT_TRUE(directory->tokens().log_in(login_of("ann", "ann-secret")));
  }
}

TEST_F(Login_, is_limited_for_an_unknown_user_alike) {
  for (int i = 0; i < 10; ++i)
    EXPECT_FALSE(directory->tokens().log_in(login_of("ghost", "guess")));
  auto const before = directory->password_checks();
  EXPECT_FALSE(directory->tokens().log_in(login_of("ghost", "guess")));
  EXPECT_EQ(directory->password_checks(), before);
}

TEST_F(Login_, the_limit_does_not_tell_whether_a_user_exists) {
  make_user("ann");
  for (std::string const name : {"ann", "ghost"}) {
    auto by_id = login_of(name, "guess");
    by_id.password->user.domain = {.id = "default", .name = {}};
    auto by_other_case = login_of(name, "guess");
    by_other_case.password->user.domain.name = "DEFAULT";
    for (int i = 0; i < 10; ++i)
      EXPECT_FALSE(directory->tokens().log_in(login_of(name, "guess")));
    auto const before = directory->password_checks();
    EXPECT_FALSE(directory->tokens().log_in(by_id));
    EXPECT_FALSE(directory->tokens().log_in(by_other_case));
    EXPECT_EQ(directory->password_checks(), before) << name;
  }
}

TEST_F(Login_, without_a_scope_takes_the_default_project_or_none) {
  auto const ann = make_user("ann");
  auto issued = directory->tokens().log_in(login_of("ann", "ann-secret"));
  EXPECT_FALSE(issued->session.domain);
  EXPECT_TRUE(directory->tokens().caller_of({issued->text}).value()->project.empty());
  ASSERT_TRUE(directory->users().change(ann.id, {.default_project = project("ann").id}));
  clock.advance(1);
  issued = directory->tokens().log_in(login_of("ann", "ann-secret"));
  EXPECT_EQ(issued->session.project->name, "ann");
  auto unscoped = login_of("ann", "ann-secret");
  unscoped.scope.kind = WantedScope::Kind::none;
  EXPECT_FALSE(directory->tokens().log_in(unscoped)->session.project);
  ASSERT_TRUE(directory->projects().remove(project("ann").id));
  clock.advance(1);
  EXPECT_FALSE(directory->tokens().log_in(login_of("ann", "ann-secret"))->session.project);
}

TEST_F(Login_, to_ones_own_domain_needs_no_role_and_gives_those_held_there) {
  auto const ann = make_user("ann");
  auto login = login_of("ann", "ann-secret");
  login.scope = {.kind = WantedScope::Kind::domain,
                 .target = {.self = {.id = {}, .name = "default"}, .domain = {}}};
  auto issued = directory->tokens().log_in(login).value();
  EXPECT_FALSE(issued.session.project);
  EXPECT_EQ(issued.session.domain->name, "Default");
  auto caller = directory->tokens().caller_of({issued.text}).value();
  EXPECT_TRUE(caller->project.empty());
  EXPECT_EQ(caller->domain.text, "default");
  EXPECT_TRUE(caller->roles.empty());
  auto const role = directory->roles().find("admin")->id;
  ASSERT_TRUE(directory->roles().grant(ann.id, model::Scope::of(DomainId{"default"}), role));
  caller = directory->tokens().caller_of({issued.text}).value();
  EXPECT_TRUE(caller->is_admin);
}

TEST_F(Login_, to_another_domain_needs_a_role_there) {
  auto const ann = make_user("ann");
  ASSERT_TRUE(database->write([](store::Connection& connection) {
    return store::Domains(connection).insert({.id = {"other"}, .name = "Other", .description = {}});
  }));
  auto login = login_of("ann", "ann-secret");
  login.scope = {.kind = WantedScope::Kind::domain,
                 .target = {.self = {.id = "other", .name = {}}, .domain = {}}};
  EXPECT_EQ(directory->tokens().log_in(login).error().fault, Fault::unauthenticated);
  auto const role = directory->roles().find("reader")->id;
  ASSERT_TRUE(directory->roles().grant(ann.id, model::Scope::of(DomainId{"other"}), role));
  EXPECT_TRUE(directory->tokens().log_in(login));
}

TEST_F(Login_, to_a_project_of_others_an_absent_or_a_disabled_one_says_the_same) {
  make_user("ann");
  make_user("ben");
  ASSERT_TRUE(directory->projects().create({.name = "off", .enabled = false}));
  for (auto const* target : {"ben", "absent", "off"}) {
    auto const refused = directory->tokens().log_in(login_to("ann", target));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::unauthenticated);
    EXPECT_EQ(refused.error().detail, "");
  }
}

TEST_F(Login_, by_token_keeps_the_expiry_and_names_the_first_token) {
  make_user("ann");
  auto const first = directory->tokens().log_in(login_to("ann", "ann")).value();
  clock.advance(100 * kSecond);
  Login again{.token = first.text};
  again.scope.kind = WantedScope::Kind::none;
  auto const second = directory->tokens().log_in(again).value();
  EXPECT_EQ(second.session.token.expires_at, first.session.token.expires_at);
  EXPECT_EQ(second.session.token.parent_audit_id, first.session.token.audit_id);
  EXPECT_TRUE(second.session.token.has(Method::password));
  EXPECT_TRUE(second.session.token.has(Method::token));
  again.token = second.text;
  again.scope = {.kind = WantedScope::Kind::project, .target = named("ann")};
  auto const third = directory->tokens().log_in(again).value();
  EXPECT_EQ(third.session.token.parent_audit_id, first.session.token.audit_id);
  clock.advance(3500 * kSecond);
  EXPECT_FALSE(directory->tokens().log_in(again)) << "the chain has expired";
}

TEST_F(Login_, proofs_of_two_users_do_not_add_up) {
  make_user("ann");
  make_user("ben");
  auto login = login_to("ann", "ann");
  login.token = token_of("ben");
  EXPECT_EQ(directory->tokens().log_in(login).error().fault, Fault::unauthenticated);
  EXPECT_FALSE(directory->tokens().log_in({}));
}

TEST_F(Caller_, forged_cut_and_foreign_tokens_are_refused) {
  make_user("ann");
  auto const token = token_of("ann");
  ASSERT_TRUE(is_good(token));
  for (std::size_t i = 0; i < token.size(); ++i) {
    auto forged = token;
    forged[i] = forged[i] == 'A' ? 'B' : 'A';
    ASSERT_FALSE(is_good(forged)) << i;
  }
  for (std::string const& bad : {std::string(), std::string("x"), token.substr(1), token + "A",
                                 std::string(10'000, 'A'), std::string("\n")}) {
    EXPECT_FALSE(is_good(bad));
  }
}

TEST_F(Caller_, expiry_is_seen_at_once_although_cached) {
  auto options = cheap();
  options.token_cache_seconds = 1'000'000;
  open(options);
  make_user("ann");
  auto const token = token_of("ann");
  clock.advance(3600 * kSecond - 1);
  EXPECT_TRUE(is_good(token));
  clock.advance(1);
  EXPECT_FALSE(is_good(token));
}

TEST_F(Caller_, a_hit_returns_the_same_object_until_something_changes) {
  make_user("ann");
  auto const token = token_of("ann");
  auto const first = directory->tokens().caller_of({token}).value();
  EXPECT_EQ(directory->tokens().caller_of({token}).value(), first);
  make_user("ben");
  EXPECT_NE(directory->tokens().caller_of({token}).value(), first);
}

TEST_F(Caller_, every_change_of_identity_takes_effect_at_once) {
  auto& users = directory->users();
  auto& projects = directory->projects();
  auto const ann = make_user("ann");
  auto const scope = model::Scope::of(project("ann").id);
  auto const member = directory->roles().find("member")->id;
  auto const voids = [&](auto change, auto undo) {
    auto const token = token_of("ann");
    EXPECT_TRUE(is_good(token));
    EXPECT_TRUE(change());
    EXPECT_FALSE(is_good(token));
    undo();
    EXPECT_FALSE(is_good(token)) << "a void token must not come back";
    EXPECT_TRUE(is_good(token_of("ann")));
  };
  voids([&] { return users.change(ann.id, {.enabled = false}).has_value(); },
        [&] { ASSERT_TRUE(users.change(ann.id, {.enabled = true})); });
  voids([&] { return users.change(ann.id, {.password = "ann-secret"}).has_value(); }, [] {});
  voids([&] { return users.change_password(ann.id, "ann-secret", "ann-secret", {}).has_value(); },
        [] {});
  voids([&] { return projects.change({scope.id}, {.enabled = false}).has_value(); },
        [&] { ASSERT_TRUE(projects.change({scope.id}, {.enabled = true})); });
  voids([&] { return directory->roles().revoke(ann.id, scope, member).has_value(); },
        [&] { ASSERT_TRUE(directory->roles().grant(ann.id, scope, member)); });
}

TEST_F(Caller_, deleting_the_user_or_the_project_voids_its_tokens) {
  auto const ann = make_user("ann");
  auto token = token_of("ann");
  ASSERT_TRUE(directory->users().remove(ann.id));
  EXPECT_FALSE(is_good(token));
  make_user("ben");
  token = token_of("ben");
  ASSERT_TRUE(directory->projects().remove(project("ben").id));
  EXPECT_FALSE(is_good(token));
}

TEST_F(Caller_, a_new_role_shows_in_an_old_token) {
  auto const ann = make_user("ann", "reader");
  auto const token = token_of("ann");
  EXPECT_FALSE(directory->tokens().caller_of({token}).value()->has_role("member"));
  grant(ann, project("ann"), "member");
  EXPECT_TRUE(directory->tokens().caller_of({token}).value()->has_role("member"));
}

TEST_F(Caller_, revoking_a_token_leaves_the_others) {
  make_user("ann");
  auto const one = token_of("ann");
  auto const other = token_of("ann");
  EXPECT_TRUE(directory->tokens().revoke(one, {}));
  EXPECT_FALSE(is_good(one));
  EXPECT_TRUE(is_good(other));
  EXPECT_EQ(directory->tokens().inspect(one).error().fault, Fault::not_found);
  EXPECT_EQ(directory->tokens().revoke(one, {}).error().fault, Fault::not_found);
  EXPECT_TRUE(directory->tokens().inspect(other));
}

TEST_F(Caller_, tokens_outlive_a_restart_and_a_key_rotation) {
  make_user("ann");
  auto const old = token_of("ann");
  open();
  EXPECT_TRUE(is_good(old));
  ASSERT_TRUE(directory->tokens().rotate_keys(false, {}));
  auto const fresh = token_of("ann");
  EXPECT_TRUE(is_good(old));
  EXPECT_TRUE(is_good(fresh));
  ASSERT_TRUE(directory->tokens().rotate_keys(true, {}));
  EXPECT_FALSE(is_good(old));
  EXPECT_FALSE(is_good(fresh));
  EXPECT_TRUE(is_good(token_of("ann")));
}

TEST_F(Caller_, a_retired_key_is_forgotten_once_its_tokens_are_dead) {
  make_user("ann");
  auto options = cheap();
  options.token_lifetime_seconds = 400LL * 24 * 3600; // longer than the configuration allows
  open(options);
  auto const token = token_of("ann");
  ASSERT_TRUE(directory->tokens().rotate_keys(false, {}));
  clock.advance(32LL * 24 * 3600 * kSecond);
  EXPECT_TRUE(is_good(token));
  ASSERT_TRUE(directory->tokens().rotate_keys(false, {}));
  EXPECT_FALSE(is_good(token));
}

TEST_F(Caller_, another_process_is_heard_within_the_cache_time) {
  auto const ann = make_user("ann");
  auto const token = token_of("ann");
  ASSERT_TRUE(is_good(token));
  Directory other(*database, clock, cheap());
  ASSERT_TRUE(other.users().change(ann.id, {.enabled = false}));
  EXPECT_TRUE(is_good(token)) << "believed a little longer";
  clock.advance(10 * kSecond);
  EXPECT_FALSE(is_good(token));
}

TEST_F(Caller_, an_alias_counts_as_its_role) {
  auto options = cheap();
  options.rules.role_aliases = {{"te_admin", "member"}};
  open(options);
  ASSERT_TRUE(directory->roles().create("TE_admin", ""));
  make_user("ann", "te_admin");
  auto const caller = directory->tokens().caller_of({token_of("ann")}).value();
  EXPECT_TRUE(caller->has_role("te_admin"));
  EXPECT_TRUE(caller->has_role("member"));
  EXPECT_TRUE(caller->has_role("reader"));
}

} // namespace vitrine::identity::builtin
