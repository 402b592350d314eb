#include "service/policy/policy.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

namespace vitrine::service::policy {
namespace {

std::vector<std::string> const kReader = {"reader"};
std::vector<std::string> const kMember = {"member", "reader"};
std::vector<std::string> const kAdmin = {"admin", "member", "reader"};
std::vector<std::string> const kNoRoles;

Credentials caller(std::vector<std::string> const& roles, std::string_view project = "p1") {
  return {.user_id = "u1", .project_id = project, .domain_id = "d1", .roles = roles};
}

// Decides one rule text.
bool decide(std::string_view rule, Credentials const& credentials, Target const& target = {}) {
  std::vector<Default> const rows = {{"x", rule, "", {}}};
  auto const policy = Policy::load(rows);
  EXPECT_TRUE(policy) << rule << ": " << (policy ? "" : policy.error().detail);
  return policy && policy->allows(*policy->action("x"), credentials, target);
}

std::string refusal(std::string_view yaml) {
  auto const policy = Policy::parse(defaults(), yaml, "policy.yaml");
  return policy ? "" : policy.error().detail;
}

bool allowed(Policy const& policy, std::string_view action, Credentials const& credentials,
             Target const& target = {}) {
  auto const id = policy.action(action);
  EXPECT_TRUE(id) << action;
  return id && policy.allows(*id, credentials, target);
}

Target image(Value owner, Value visibility, Value member = {}) {
  return Target()
      .set(Attribute::owner, owner)
      .set(Attribute::visibility, visibility)
      .set(Attribute::member_id, member);
}

} // namespace

TEST(Rule, constants_and_precedence) {
  auto const none = caller(kNoRoles);
  EXPECT_TRUE(decide("", none));
  EXPECT_TRUE(decide("@", none));
  EXPECT_FALSE(decide("!", none));
  EXPECT_TRUE(decide("@ or ! and !", none)) << "and binds tighter than or";
  EXPECT_FALSE(decide("(@ or !) and !", none));
  EXPECT_TRUE(decide("not ! and @", none)) << "not binds tightest";
  EXPECT_FALSE(decide("not (! or @)", none));
  EXPECT_TRUE(decide("NOT not @ And ((@))", none));
}

TEST(Rule, roles_compare_ignoring_case) {
  EXPECT_TRUE(decide("role:Member", caller(kMember)));
  EXPECT_FALSE(decide("role:member", caller(kReader)));
  EXPECT_FALSE(decide("role:mem", caller(kMember)));
  EXPECT_TRUE(decide("roles:member", caller(kMember)));
  EXPECT_FALSE(decide("roles:Member", caller(kMember))) << "a credential compares exactly";
}

TEST(Rule, credentials_against_target) {
  auto const me = caller(kMember);
  EXPECT_TRUE(decide("project_id:%(owner)s", me, image("p1", "private")));
  EXPECT_TRUE(decide("tenant:%(project_id)s", me, image("p1", "private")));
  EXPECT_FALSE(decide("project_id:%(owner)s", me, image("p11", "private")));
  EXPECT_FALSE(decide("project_id:%(owner)s", me, image("p", "private")));
  EXPECT_FALSE(decide("project_id:%(owner)s", me)) << "an unknown attribute never matches";
  EXPECT_FALSE(decide("not project_id:p1", me));
  EXPECT_TRUE(decide("user_id:%(user_id)s", me, Target().set(Attribute::user_id, "u1")));
  EXPECT_TRUE(decide("domain_id:d%(owner)s", me, image("1", "private")));
  EXPECT_FALSE(decide("project_id:100%%", me));
  EXPECT_TRUE(decide("project_id:100%%", caller(kMember, "100%")));
}

TEST(Rule, a_missing_id_never_matches) {
  auto const unscoped = caller(kMember, "");
  EXPECT_FALSE(decide("project_id:%(owner)s", unscoped, image("", "private")));
  EXPECT_FALSE(decide("project_id:%(owner)s", unscoped, image(Value::none(), "private")));
  EXPECT_FALSE(decide("project_id:%(owner)s", caller(kMember, "None"), image(Value::none(), "x")));
}

TEST(Rule, literals) {
  auto const me = caller(kMember);
  EXPECT_TRUE(decide("'private':%(visibility)s", me, image("p1", "private")));
  EXPECT_TRUE(decide("\"private\":%(visibility)s", me, image("p1", "private")));
  EXPECT_FALSE(decide("'private':%(visibility)s", me, image("p1", "public")));
  EXPECT_TRUE(decide("None:%(owner)s", me, image(Value::none(), "private")));
  EXPECT_FALSE(decide("None:%(owner)s", me, image("None", "private")));
  EXPECT_FALSE(decide("None:%(owner)s", me));
  EXPECT_TRUE(decide("True:%(protected)s", me, Target().set(Attribute::is_protected, true)));
  EXPECT_FALSE(decide("True:%(protected)s", me, Target().set(Attribute::is_protected, false)));
  auto admin = me;
  admin.is_admin = true;
  EXPECT_TRUE(decide("is_admin:True", admin));
  EXPECT_FALSE(decide("is_admin:True", me));
}

TEST(Rule, malformed_rules_are_refused) {
  for (std::string_view bad :
       {"member", "role:", ":member", "role:a role:b", "role:a and", "or role:a", "(role:a",
        "role:a)", "not", "()", "project_id:%(owner)", "project_id:%owner", "project_id:%()s",
        "http://h/x", "role:a and or role:b", "'private"}) {
    Warnings warnings;
    auto const parsed = parse_rule(bad, warnings);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().fault, Fault::invalid_value);
  }
  Warnings warnings;
  EXPECT_FALSE(parse_rule(std::string(100, '('), warnings));
  std::string nots;
  for (int i = 0; i < 100; ++i)
    nots += "not ";
  EXPECT_FALSE(parse_rule(nots + "@", warnings));
}

TEST(PolicyFile, overrides_by_name_and_keeps_the_rest) {
  auto const policy =
      Policy::parse(defaults(),
                    "get_images: \"role:ops\"\nops_or_admin: \"role:ops or role:admin\"\n"
                    "add_image: rule:ops_or_admin\n",
                    "policy.yaml");
  ASSERT_TRUE(policy) << policy.error().detail;
  std::vector<std::string> const ops = {"ops"};
  EXPECT_TRUE(allowed(*policy, "get_images", caller(ops)));
  EXPECT_FALSE(allowed(*policy, "get_images", caller(kReader)));
  EXPECT_TRUE(allowed(*policy, "add_image", caller(ops)));
  EXPECT_TRUE(allowed(*policy, "delete_image", caller(kMember), image("p1", "private")));
  EXPECT_EQ(policy->rule(*policy->action("get_images")), "role:ops");
  EXPECT_TRUE(policy->warnings().empty());
}

TEST(PolicyFile, json_and_list_forms) {
  auto const policy = Policy::parse(
      defaults(), R"({"get_images": [["role:a", "role:b"], "role:c", []], "add_image": [],
                      "get_image": [[]], "delete_image": "!"})",
      "policy.json");
  ASSERT_TRUE(policy) << policy.error().detail;
  std::vector<std::string> const a = {"a"};
  std::vector<std::string> const ab = {"a", "b"};
  std::vector<std::string> const c = {"c"};
  EXPECT_FALSE(allowed(*policy, "get_images", caller(a)));
  EXPECT_TRUE(allowed(*policy, "get_images", caller(ab)));
  EXPECT_TRUE(allowed(*policy, "get_images", caller(c)));
  EXPECT_TRUE(allowed(*policy, "add_image", caller(kNoRoles)));
  EXPECT_FALSE(allowed(*policy, "get_image", caller(kAdmin)));
  EXPECT_FALSE(allowed(*policy, "delete_image", caller(kAdmin)));
}

TEST(PolicyFile, faults_name_file_line_and_name) {
  EXPECT_EQ(refusal("\nget_images: role\n"), "policy.yaml:2: get_images: 'role' is not kind:match");
  EXPECT_EQ(refusal("get_images: rule:nobody\n"),
            "policy.yaml:1: get_images: refers to the rule 'nobody', which nobody defines");
  EXPECT_EQ(refusal("get_images: \"@\"\nget_imagez: \"@\"\n"),
            "policy.yaml:2: get_imagez: no policy has this name and no rule refers to it");
  EXPECT_EQ(refusal("a: rule:b\nb: rule:a\n"), "policy.yaml:1: a: refers to itself through 'b'");
  EXPECT_EQ(refusal("a: rule:a\n"), "policy.yaml:1: a: refers to itself through 'a'");
  EXPECT_EQ(refusal("get_image: \"@\"\n\nget_image: \"!\"\n"),
            "policy.yaml:3: get_image: defined already at policy.yaml:1");
  EXPECT_EQ(refusal("get_image:\n"), "policy.yaml:1: get_image: the rule is missing "
                                     "(always is \"\", never is \"!\", in quotes)");
  EXPECT_EQ(refusal("- a\n"), "policy.yaml:1: file: not a map of names to rules");
  EXPECT_TRUE(refusal("a: [\n").starts_with("policy.yaml:2: file: ")) << refusal("a: [\n");
  EXPECT_EQ(refusal("# nothing\n"), "");
  EXPECT_EQ(Policy::load(defaults(), "/nonexistent/policy.yaml").error().detail,
            "/nonexistent/policy.yaml: file: cannot be read");
}

TEST(PolicyFile, aliases_do_not_grow_a_file_without_end) {
  std::string checks = "role:a";
  for (int i = 1; i < 1000; ++i)
    checks += ", role:a";
  std::string yaml = "get_image: [&a [" + checks + "]";
  for (int i = 1; i < 1000; ++i)
    yaml += ", *a";
  EXPECT_EQ(refusal(yaml + "]\n"), "policy.yaml:1: file: more than 100000 nodes");
}

TEST(PolicyFile, decisions_that_explode_are_refused) {
  std::string yaml = "r0: \"@\"\n";
  for (int i = 1; i <= 20; ++i)
    yaml += "r" + std::to_string(i) + ": rule:r" + std::to_string(i - 1) + " and rule:r" +
            std::to_string(i - 1) + "\n";
  EXPECT_TRUE(refusal(yaml + "get_image: rule:r20\n").ends_with("may need more than 4096 checks"));
  std::string chain = "r0: \"@\"\n";
  for (int i = 1; i <= 70; ++i)
    chain += "r" + std::to_string(i) + ": rule:r" + std::to_string(i - 1) + "\n";
  EXPECT_TRUE(refusal("get_image: rule:r70\n" + chain).ends_with("more than 64 deep"));
}

TEST(PolicyFile, words_that_never_match_are_warnings) {
  auto const policy = Policy::parse(
      defaults(), "get_images: system_scope:all or project_id:%(ownr)s\n", "policy.yaml");
  ASSERT_TRUE(policy);
  ASSERT_EQ(policy->warnings().size(), 2U);
  EXPECT_EQ(policy->warnings()[0],
            "policy.yaml:1: get_images: no caller has 'system_scope': the check never matches");
  EXPECT_FALSE(allowed(*policy, "get_images", caller(kAdmin)));
}

TEST(Policy, defaults_of_the_image_api) {
  auto const policy = Policy::load(defaults());
  ASSERT_TRUE(policy) << policy.error().detail;
  auto const mine = image("p1", "private");
  auto const foreign = image("p2", "private");
  EXPECT_TRUE(allowed(*policy, "get_image", caller(kReader), mine));
  EXPECT_FALSE(allowed(*policy, "get_image", caller(kReader), foreign));
  EXPECT_TRUE(allowed(*policy, "get_image", caller(kReader), image("p2", "private", "p1")));
  EXPECT_TRUE(allowed(*policy, "get_image", caller(kReader), image("p2", "public")));
  EXPECT_FALSE(allowed(*policy, "get_image", caller(kNoRoles), mine));
  EXPECT_TRUE(allowed(*policy, "get_image", caller(kAdmin), foreign));
  EXPECT_FALSE(allowed(*policy, "modify_image", caller(kReader), mine));
  EXPECT_FALSE(allowed(*policy, "modify_image", caller(kMember), image("p2", "public")));
  EXPECT_FALSE(allowed(*policy, "publicize_image", caller(kMember), mine));
  EXPECT_FALSE(allowed(*policy, "download_image", caller(kReader), mine));
  EXPECT_TRUE(allowed(*policy, "download_image", caller(kMember), mine));
  EXPECT_FALSE(allowed(*policy, "modify_member", caller(kMember), image("p1", "shared", "p2")));
  EXPECT_TRUE(allowed(*policy, "modify_member", caller(kMember), image("p2", "shared", "p1")));
  EXPECT_FALSE(allowed(*policy, "tasks_api_access", caller(kMember)));
}

// A fuzzer's find: a second check was taken for operands past the end of an empty array.
TEST(Policy, rules_of_single_checks_have_no_operands) {
  std::vector<Default> const rows = {{"x", "role:reader", "", {}}, {"y", "role:member", "", {}}};
  auto const policy = Policy::load(rows);
  ASSERT_TRUE(policy) << policy.error().detail;
  EXPECT_FALSE(policy->allows(ActionId{1}, caller(kReader), Target()));
  EXPECT_TRUE(policy->allows(ActionId{1}, caller(kMember), Target()));
}

TEST(Policy, defaults_of_the_extension_and_identity) {
  auto const policy = Policy::load(defaults());
  ASSERT_TRUE(policy) << policy.error().detail;
  EXPECT_TRUE(allowed(*policy, "ims:quotas:get", caller(kReader)));
  EXPECT_FALSE(allowed(*policy, "ims:images:share", caller(kReader)));
  EXPECT_TRUE(allowed(*policy, "ims:images:share", caller(kMember)));
  EXPECT_FALSE(allowed(*policy, "ims:images:list", caller(kNoRoles)));
  EXPECT_FALSE(allowed(*policy, "identity:get_project", caller(kMember)));
  EXPECT_FALSE(allowed(*policy, "identity:list_projects", caller(kMember)));
  EXPECT_TRUE(allowed(*policy, "identity:create_project", caller(kAdmin)));
  auto const me = Target().set(Attribute::user_id, "u1");
  EXPECT_TRUE(allowed(*policy, "identity:create_application_credential", caller(kMember), me));
  auto const refused = policy->enforce(*policy->action("ims:images:share"), caller(kReader));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::forbidden);
  EXPECT_EQ(refused.error().detail, "ims:images:share");
  EXPECT_FALSE(policy->action("get_imagez"));
}

TEST(Policy, sample_names_every_policy_and_uncommented_it_changes_nothing) {
  auto const sample = sample_yaml();
  EXPECT_TRUE(YAML::Load(sample).IsNull());
  std::string uncommented;
  for (std::size_t at = 0; (at = sample.find("\n#\"", at)) != std::string::npos; ++at) {
    uncommented += sample.substr(at + 2, sample.find('\n', at + 1) - at - 1);
  }
  auto const policy = Policy::parse(defaults(), uncommented, "sample");
  ASSERT_TRUE(policy) << policy.error().detail;
  for (auto const& row : defaults()) {
    EXPECT_EQ(YAML::Load(uncommented)[std::string(row.name)].Scalar(), row.rule);
    EXPECT_EQ(policy->rule(*policy->action(row.name)), row.rule);
  }
}

TEST(Policy, loads_from_a_file) {
  auto const path = std::filesystem::path(testing::TempDir()) / "vitrine_policy_test.yaml";
  std::ofstream(path) << "get_images: \"!\"\n";
  auto const policy = Policy::load(defaults(), path.string());
  ASSERT_TRUE(policy);
  EXPECT_FALSE(allowed(*policy, "get_images", caller(kAdmin)));
  std::ofstream(path, std::ios::trunc).close();
  EXPECT_TRUE(Policy::load(defaults(), path.string())) << "an empty file changes nothing";
  std::filesystem::remove(path);
  EXPECT_FALSE(Policy::load(defaults(), testing::TempDir())) << "a directory is no file";
}

} // namespace vitrine::service::policy
