#include "identity/builtin/directory_test.hpp"

#include <algorithm>

namespace vitrine::identity::builtin {

class Projects_ : public TestDirectory {};
class Users_ : public TestDirectory {};
class Roles_ : public TestDirectory {};
class Credentials_ : public TestDirectory {
protected:
  static Login login_with(CreatedCredential const& created) {
    return {.application_credential =
                CredentialProof{.credential = {.id = created.credential.id.text, .name = {}},
                                .user = {},
                                .secret = created.secret}};
  }
  CreatedCredential make(model::User const& user, std::vector<std::string> roles = {}) {
    clock.advance(1);
    auto created = directory->application_credentials().create(
        {.user = user.id, .project = project(user.name).id, .name = "cred", .roles = roles});
    clock.advance(1);
    return created.value();
  }
};

TEST_F(Projects_, names_are_trimmed_bounded_and_unique) {
  auto& projects = directory->projects();
  EXPECT_EQ(projects.create({.name = " shop "})->name, "shop");
  EXPECT_EQ(projects.create({.name = "shop"}).error().fault, Fault::name_taken);
  EXPECT_EQ(projects.create({.name = " "}).error().field, "name");
  EXPECT_EQ(projects.create({.name = "\n \r"}).error().field, "name");
  EXPECT_EQ(projects.create({.name = std::string(65, 'x')}).error().fault, Fault::invalid_value);
  EXPECT_TRUE(projects.create({.name = std::string(64, 'x')}));
  EXPECT_EQ(projects.create({.name = "\xFF"}).error().fault, Fault::invalid_value);
  EXPECT_EQ(projects.create({.name = "y", .domain = {"nowhere"}}).error().field, "domain_id");
  auto const other = projects.create({.name = "other"}).value();
  EXPECT_EQ(projects.change(other.id, {.name = "shop"}).error().fault, Fault::name_taken);
  EXPECT_EQ(projects.get(other.id)->name, "other");
}

TEST_F(Projects_, lists_filter_by_name_domain_and_state) {
  auto& projects = directory->projects();
  ASSERT_TRUE(projects.create({.name = "b"}));
  ASSERT_TRUE(projects.create({.name = "a", .enabled = false}));
  auto const names = [&](Filter const& filter) {
    std::string out;
    auto const listed = projects.list(filter).value();
    for (auto const& project : listed)
      out += project.name;
    return out;
  };
  EXPECT_EQ(names({}), "ab");
  EXPECT_EQ(names({.name = "b"}), "b");
  EXPECT_EQ(names({.enabled = true}), "b");
  EXPECT_EQ(names({.domain = "default", .enabled = false}), "a");
  EXPECT_EQ(names({.domain = "nowhere"}), "");
}

TEST_F(Projects_, only_an_existing_enabled_project_is_usable) {
  auto const shop = directory->projects().create({.name = "shop"}).value();
  EXPECT_TRUE(directory->projects().is_usable(shop.id).value());
  EXPECT_FALSE(directory->projects().is_usable({"absent"}).value());
  ASSERT_TRUE(directory->projects().change(shop.id, {.enabled = false}));
  EXPECT_FALSE(directory->projects().is_usable(shop.id).value());
  ASSERT_TRUE(directory->projects().remove(shop.id));
  EXPECT_EQ(directory->projects().remove(shop.id).error().fault, Fault::not_found);
}

TEST_F(Users_, changing_ones_password_needs_the_old_one) {
  auto const ann = make_user("ann");
  auto& users = directory->users();
  EXPECT_EQ(users.change_password(ann.id, "wrong", "new", {}).error().fault,
            Fault::unauthenticated);
  EXPECT_EQ(users.change_password(ann.id, "ann-secret", "", {}).error().field, "password");
  EXPECT_TRUE(directory->tokens().log_in(login_of("ann", "ann-secret")));
  ASSERT_TRUE(users.change_password(ann.id, "ann-secret", "new", {}));
  clock.advance(1);
  EXPECT_FALSE(directory->tokens().log_in(login_of("ann", "ann-secret")));
  EXPECT_TRUE(directory->tokens().log_in(login_of("ann", "new")));
}

TEST_F(Users_, guessing_the_old_password_counts_as_failed_logins) {
  auto const ann = make_user("ann");
  model::Caller by;
  by.address = "192.0.2.9";
  for (int i = 0; i < 10; ++i)
    EXPECT_FALSE(directory->users().change_password(ann.id, "wrong", "new", by));
  EXPECT_FALSE(directory->tokens().log_in(login_of("ann", "ann-secret")));
}

TEST_F(Users_, a_user_comes_with_roles_or_not_at_all) {
  auto const shop = directory->projects().create({.name = "shop"}).value();
  auto const role = directory->roles().find("reader").value();
  std::vector<Grant> const grants{{model::Scope::of(shop.id), role.id}};
  auto const ann =
      directory->users().create({.name = "ann", .password = "x", .grants = grants}).value();
  EXPECT_EQ(directory->roles().held(ann.id, model::Scope::of(shop.id))->front().name, "reader");
  EXPECT_EQ(directory->users().create({.name = "ann", .grants = grants}).error().fault,
            Fault::name_taken);
}

TEST_F(Roles_, built_in_ones_stay_and_others_go_with_their_grants) {
  auto& roles = directory->roles();
  EXPECT_EQ(roles.list(std::nullopt)->size(), 4U);
  auto const reader = roles.find("reader").value();
  EXPECT_EQ(roles.remove(reader.id).error().fault, Fault::forbidden);
  EXPECT_EQ(roles.change(reader.id, "x", std::nullopt).error().fault, Fault::forbidden);
  EXPECT_EQ(roles.create("Reader", "").error().fault, Fault::name_taken);
  auto const pilot = roles.create("pilot", "").value();
  auto const ann = make_user("ann", "pilot");
  auto const scope = model::Scope::of(project("ann").id);
  ASSERT_TRUE(roles.remove(pilot.id));
  EXPECT_TRUE(roles.held(ann.id, scope)->empty());
}

TEST_F(Roles_, grants_need_all_three_and_are_there_once) {
  auto const ann = make_user("ann");
  auto& roles = directory->roles();
  auto const scope = model::Scope::of(project("ann").id);
  auto const member = roles.find("member")->id;
  EXPECT_TRUE(roles.grant(ann.id, scope, member));
  EXPECT_EQ(roles.held(ann.id, scope)->size(), 1U);
  EXPECT_EQ(roles.grant({"x"}, scope, member).error().fault, Fault::not_found);
  EXPECT_EQ(roles.grant(ann.id, model::Scope::of(ProjectId{"x"}), member).error().fault,
            Fault::not_found);
  EXPECT_EQ(roles.grant(ann.id, model::Scope::of(DomainId{"x"}), member).error().fault,
            Fault::not_found);
  EXPECT_EQ(roles.grant(ann.id, scope, {"x"}).error().fault, Fault::not_found);
  EXPECT_TRUE(roles.revoke(ann.id, scope, member));
  EXPECT_EQ(roles.revoke(ann.id, scope, member).error().fault, Fault::not_found);
}

TEST_F(Roles_, effective_assignments_name_implied_roles_once) {
  auto const ann = make_user("ann", "admin");
  grant(ann, project("ann"), "reader");
  auto const names = [&](AssignmentQuery const& query) {
    std::string out;
    auto const listed = directory->roles().assignments(query).value();
    for (auto const& one : listed)
      out += one.role.name + " ";
    return out;
  };
  EXPECT_EQ(names({}), "admin reader ");
  EXPECT_EQ(names({.effective = true}), "admin member reader ");
  EXPECT_EQ(names({.role = directory->roles().find("member")->id, .effective = true}), "member ");
  EXPECT_EQ(names({.user = UserId{"x"}}), "");
}

TEST_F(Credentials_, lend_some_roles_of_one_project) {
  auto const ann = make_user("ann");
  auto const created = make(ann, {"reader"});
  auto const issued = directory->tokens().log_in(login_with(created)).value();
  EXPECT_EQ(issued.session.project->name, "ann");
  EXPECT_EQ(issued.session.credential->name, "cred");
  auto const caller = directory->tokens().caller_of({issued.text}).value();
  EXPECT_EQ(caller->roles, std::vector<std::string>{"reader"});
  EXPECT_LT(issued.text.size(), 255U);
}

TEST_F(Credentials_, log_in_by_name_too_and_refuse_a_scope) {
  auto const ann = make_user("ann");
  auto login = login_with(make(ann));
  login.application_credential->credential = {.id = {}, .name = "cred"};
  login.application_credential->user = named("ann");
  EXPECT_TRUE(directory->tokens().log_in(login));
  login.scope = {.kind = WantedScope::Kind::project, .target = named("ann")};
  EXPECT_EQ(directory->tokens().log_in(login).error().fault, Fault::unauthenticated);
}

TEST_F(Credentials_, a_wrong_secret_and_an_unknown_one_cost_the_same) {
  auto const ann = make_user("ann");
  auto login = login_with(make(ann));
  login.application_credential->secret = "guess";
  auto const before = directory->password_checks();
  EXPECT_EQ(directory->tokens().log_in(login).error().fault, Fault::unauthenticated);
  login.application_credential->credential.id = "absent";
  EXPECT_EQ(directory->tokens().log_in(login).error().fault, Fault::unauthenticated);
  EXPECT_EQ(directory->password_checks(), before + 2);
}

TEST_F(Credentials_, their_tokens_cannot_move_to_another_scope) {
  auto const ann = make_user("ann");
  auto const token = directory->tokens().log_in(login_with(make(ann)))->text;
  Login login{.token = token};
  auto const again = directory->tokens().log_in(login).value();
  EXPECT_EQ(again.session.credential->name, "cred");
  login.scope = {.kind = WantedScope::Kind::none, .target = {}};
  EXPECT_EQ(directory->tokens().log_in(login).error().fault, Fault::forbidden);
}

TEST_F(Credentials_, end_with_removal_expiry_the_role_and_the_project) {
  auto const ann = make_user("ann");
  auto& credentials = directory->application_credentials();
  auto created = make(ann);
  auto token = directory->tokens().log_in(login_with(created))->text;
  ASSERT_TRUE(credentials.remove(ann.id, created.credential.id));
  EXPECT_FALSE(is_good(token));
  EXPECT_FALSE(directory->tokens().log_in(login_with(created)));

  created = credentials
                .create({.user = ann.id,
                         .project = project("ann").id,
                         .name = "short",
                         .expires_at = clock.now() + 5 * kSecond})
                .value();
  token = directory->tokens().log_in(login_with(created))->text;
  EXPECT_TRUE(is_good(token));
  clock.advance(5 * kSecond);
  EXPECT_FALSE(is_good(token));
  EXPECT_FALSE(directory->tokens().log_in(login_with(created)));

  created = make(ann);
  ASSERT_TRUE(directory->roles().revoke(ann.id, model::Scope::of(project("ann").id),
                                        directory->roles().find("member")->id));
  clock.advance(1);
  grant(ann, project("ann"), "member");
  EXPECT_FALSE(directory->tokens().log_in(login_with(created))) << "not by a new grant either";
  EXPECT_TRUE(credentials.list(ann.id, std::nullopt)->empty());

  created = make(ann);
  EXPECT_TRUE(directory->tokens().log_in(login_with(created)));
  ASSERT_TRUE(directory->projects().remove(project("ann").id));
  EXPECT_TRUE(credentials.list(ann.id, std::nullopt)->empty());
}

TEST_F(Credentials_, of_a_disabled_user_are_refused_at_once_and_good_again_with_the_user) {
  auto const ann = make_user("ann");
  auto const created = make(ann);
  auto const token = directory->tokens().log_in(login_with(created))->text;
  EXPECT_TRUE(is_good(token));
  ASSERT_TRUE(directory->users().change(ann.id, {.enabled = false}));
  EXPECT_FALSE(is_good(token));
  auto const refused = directory->tokens().log_in(login_with(created));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::unauthenticated);
  clock.advance(1);
  ASSERT_TRUE(directory->users().change(ann.id, {.enabled = true})); // as in Keystone
  EXPECT_FALSE(is_good(token));
  EXPECT_TRUE(directory->tokens().log_in(login_with(created)));
}

TEST_F(Credentials_, of_a_token_with_fewer_roles_lend_no_more_than_these) {
  auto const ann = make_user("ann");
  auto const reader = directory->roles().find("reader").value();
  auto const made = [&](std::vector<std::string> roles) {
    return directory->application_credentials().create({.user = ann.id,
                                                        .project = project("ann").id,
                                                        .name = "of a token",
                                                        .roles = std::move(roles),
                                                        .token_roles = {{reader}}});
  };
  EXPECT_EQ(made({"member"}).error().field, "roles");
  auto const created = made({}).value();
  ASSERT_EQ(created.credential.roles.size(), 1U);
  EXPECT_EQ(created.credential.roles[0].name, "reader");
}

TEST_F(Credentials_, name_a_role_once) {
  auto const ann = make_user("ann");
  EXPECT_EQ(make(ann, {"member", "MEMBER"}).credential.roles.size(), 1U);
}

TEST_F(Credentials_, are_refused_with_roles_not_held_a_taken_name_or_a_past_expiry) {
  auto const ann = make_user("ann", "reader");
  auto& credentials = directory->application_credentials();
  NewCredential wanted{.user = ann.id, .project = project("ann").id, .name = "cred"};
  wanted.roles = {"member"};
  EXPECT_EQ(credentials.create(wanted).error().field, "roles");
  wanted.roles = {};
  wanted.expires_at = clock.now();
  EXPECT_EQ(credentials.create(wanted).error().field, "expires_at");
  wanted.expires_at.reset();
  ASSERT_TRUE(credentials.create(wanted));
  EXPECT_EQ(credentials.create(wanted).error().fault, Fault::name_taken);
  auto const ben = make_user("ben");
  auto const id = credentials.list(ann.id, std::nullopt)->front().id;
  EXPECT_EQ(credentials.get(ben.id, id).error().fault, Fault::not_found);
  EXPECT_EQ(credentials.remove(ben.id, id).error().fault, Fault::not_found);
}

} // namespace vitrine::identity::builtin
