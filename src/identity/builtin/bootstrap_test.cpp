#include "identity/builtin/bootstrap.hpp"
#include "identity/builtin/directory_test.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <latch>
#include <sstream>
#include <sys/stat.h>
#include <thread>

namespace vitrine::identity::builtin {

namespace {

std::string text_of_a_billion_nodes() {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    auto const each = fmt::format("*a{}", i - 1);
    text +=
        fmt::format("a{0}: &a{0} [{1}, {1}, {1}, {1}, {1}, {1}, {1}, {1}, {1}, {1}]\n", i, each);
  }
  return text;
}

} // namespace

class Bootstrap_ : public TestDirectory {
protected:
  Bootstrap wanted(bool demo) {
    return {.clouds_file = (folder / "clouds.yaml").string(), .demo = demo, .region = "eu-de"};
  }
  std::string file() {
    std::ifstream in(folder / "clouds.yaml");
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }
  void write_file(std::string const& text) { std::ofstream(folder / "clouds.yaml") << text; }
  static std::vector<std::string> users_of(std::vector<Cloud> const& clouds) {
    std::vector<std::string> out;
    for (auto const& cloud : clouds)
      out.push_back(cloud.user);
    return out;
  }
  /// The caller that a cloud's login gives.
  model::Caller caller_of(Cloud const& cloud) {
    clock.advance(1);
    auto login = login_of(cloud.user, cloud.password);
    login.scope = {.kind = WantedScope::Kind::project, .target = named(cloud.project)};
    auto const issued = directory->tokens().log_in(login).value();
    return *directory->tokens().caller_of({issued.text}).value();
  }
};

TEST_F(Bootstrap_, makes_an_administrator_who_may_scope_to_the_domain) {
  auto const clouds = bootstrap(*directory, wanted(false)).value();
  ASSERT_EQ(users_of(clouds), std::vector<std::string>{"admin"});
  EXPECT_TRUE(caller_of(clouds[0]).is_admin);
  auto login = login_of("admin", clouds[0].password);
  login.scope = {.kind = WantedScope::Kind::domain,
                 .target = {.self = {.id = {}, .name = "Default"}, .domain = {}}};
  EXPECT_TRUE(directory->tokens().log_in(login));
}

TEST_F(Bootstrap_, demo_adds_its_accounts_on_a_later_start_and_changes_nothing_else) {
  auto const first = bootstrap(*directory, wanted(false)).value();
  open();
  auto const second = bootstrap(*directory, wanted(true)).value();
  ASSERT_EQ(users_of(second),
            (std::vector<std::string>{"admin", "demo", "alt", "third", "viewer"}));
  EXPECT_EQ(second[0].password, first[0].password);
  EXPECT_EQ(caller_of(second[1]).roles, (std::vector<std::string>{"member", "reader"}));
  EXPECT_EQ(caller_of(second[4]).roles, std::vector<std::string>{"reader"});
  EXPECT_EQ(caller_of(second[4]).project, caller_of(second[1]).project);
  open();
  auto const third = bootstrap(*directory, wanted(true)).value();
  for (std::size_t i = 0; i < second.size(); ++i)
    EXPECT_EQ(third[i].password, second[i].password);
  EXPECT_EQ(directory->users().list({})->size(), 5U);
}

TEST_F(Bootstrap_, the_file_is_private_and_reads_back) {
  auto clouds = bootstrap(*directory, wanted(true)).value();
  clouds[0].password = "with \"quotes\" \\ and: # é";
  ASSERT_TRUE(announce(wanted(true), clouds, "http://127.0.0.1:8123"));
  struct stat info{};
  ASSERT_EQ(::stat((folder / "clouds.yaml").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  auto const read = read_clouds(wanted(true).clouds_file).value();
  ASSERT_EQ(read.size(), clouds.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].user, clouds[i].user);
    EXPECT_EQ(read[i].password, clouds[i].password);
    EXPECT_EQ(read[i].project, clouds[i].project);
  }
  EXPECT_NE(file().find("auth_url: \"http://127.0.0.1:8123/v3\"\n"), std::string::npos);
  EXPECT_NE(file().find("region_name: \"eu-de\"\n"), std::string::npos);
}

TEST_F(Bootstrap_, a_start_cut_short_is_completed_by_the_next) {
  ASSERT_TRUE(write_clouds(wanted(false).clouds_file,
                           {{.user = "admin", .password = "kept", .project = "admin"}}, "x", "y"));
  auto const clouds = bootstrap(*directory, wanted(false)).value();
  ASSERT_EQ(clouds.size(), 1U);
  EXPECT_EQ(clouds[0].password, "kept");
  EXPECT_TRUE(caller_of(clouds[0]).is_admin);
}

TEST_F(Bootstrap_, a_start_cut_short_behind_its_accounts_is_completed_by_the_next) {
  auto const made = bootstrap(*directory, wanted(false)).value();
  std::filesystem::remove(wanted(false).clouds_file);
  ASSERT_TRUE(draft_clouds(wanted(false).clouds_file, made));
  auto const clouds = bootstrap(*directory, wanted(false)).value();
  ASSERT_EQ(users_of(clouds), std::vector<std::string>{"admin"});
  EXPECT_EQ(read_clouds(wanted(false).clouds_file)->at(0).password, made[0].password);
  EXPECT_TRUE(caller_of(clouds[0]).is_admin);
  EXPECT_TRUE(read_draft(wanted(false).clouds_file)->empty());
}

TEST_F(Bootstrap_, a_draft_of_accounts_that_another_server_made_is_dropped) {
  ASSERT_TRUE(draft_clouds(wanted(false).clouds_file,
                           {{.user = "admin", .password = "never used", .project = "admin"}}));
  auto others = wanted(false);
  others.clouds_file = (folder / "others.yaml").string();
  ASSERT_EQ(bootstrap(*directory, others)->size(), 1U);
  EXPECT_TRUE(bootstrap(*directory, wanted(false))->empty());
  EXPECT_FALSE(std::filesystem::exists(wanted(false).clouds_file));
  EXPECT_TRUE(read_draft(wanted(false).clouds_file)->empty());
}

// All but one ended, and each had told a password of its own that was nobody's.
TEST_F(Bootstrap_, of_servers_that_start_together_one_makes_the_accounts_and_tells_them) {
  constexpr int kServers = 4;
  std::latch start(kServers);
  std::vector<std::vector<Cloud>> told(kServers);
  std::vector<std::thread> threads;
  for (int i = 0; i < kServers; ++i) {
    threads.emplace_back([&, i] {
      Directory own(*database, clock, cheap());
      auto mine = wanted(i % 2 == 0); // some want the demo accounts, too
      mine.clouds_file = (folder / fmt::format("{}.yaml", i)).string();
      start.arrive_and_wait();
      auto const clouds = bootstrap(own, mine);
      ASSERT_TRUE(clouds) << clouds.error().detail;
      told[static_cast<std::size_t>(i)] = read_clouds(mine.clouds_file).value();
      EXPECT_EQ(users_of(told[static_cast<std::size_t>(i)]), users_of(*clouds));
    });
  }
  for (auto& thread : threads)
    thread.join();
  std::vector<std::string> users;
  for (auto const& clouds : told) {
    for (auto const& cloud : clouds) {
      users.push_back(cloud.user);
      EXPECT_EQ(caller_of(cloud).is_admin, cloud.user == "admin");
    }
  }
  std::ranges::sort(users);
  EXPECT_EQ(users, (std::vector<std::string>{"admin", "alt", "demo", "third", "viewer"}));
}

TEST_F(Bootstrap_, an_administrator_who_was_removed_stays_removed) {
  ASSERT_TRUE(bootstrap(*directory, wanted(false)));
  make_user("boss", "admin");
  ASSERT_TRUE(directory->users().remove(directory->users().find("admin")->id));
  ASSERT_TRUE(bootstrap(*directory, wanted(false)));
  EXPECT_FALSE(directory->users().find("admin"));
}

TEST_F(Bootstrap_, a_lost_file_comes_back_without_the_passwords_nobody_knows) {
  ASSERT_TRUE(bootstrap(*directory, wanted(false)));
  std::filesystem::remove(wanted(false).clouds_file);
  auto const clouds = bootstrap(*directory, wanted(true)).value();
  EXPECT_EQ(users_of(clouds), (std::vector<std::string>{"demo", "alt", "third", "viewer"}));
}

TEST_F(Bootstrap_, what_a_yaml_tool_made_of_the_file_is_read) {
  auto const made = bootstrap(*directory, wanted(false)).value();
  write_file("clouds: {admin: {auth: {auth_url: http://x/v3, username: admin,\n"
             "  password: " +
             made[0].password + ", project_name: 'admin'}}}\n");
  open();
  auto const clouds = bootstrap(*directory, wanted(true)).value();
  EXPECT_EQ(clouds[0].password, made[0].password);
  ASSERT_TRUE(announce(wanted(true), clouds, "http://127.0.0.1:8123"));
  EXPECT_EQ(users_of(read_clouds(wanted(true).clouds_file).value()),
            (std::vector<std::string>{"admin", "demo", "alt", "third", "viewer"}));
  EXPECT_EQ(read_clouds(wanted(true).clouds_file)->at(0).password, made[0].password);
}

TEST_F(Bootstrap_, what_others_put_into_the_file_stays) {
  auto const clouds = bootstrap(*directory, wanted(false)).value();
  write_file("cache:\n  expiration_time: 3600\n" + file().substr(file().find("clouds:")) +
             "    verify: false\n"
             "  prod:\n    profile: otc\n    auth:\n      password: \"1234\"\n"
             "    regions:\n    - a b\n    - {name: c, values: {}}\n    - [1, ~]\n"
             "  nothing: {}\n");
  ASSERT_TRUE(announce(wanted(false), clouds, "http://127.0.0.1:1"));
  EXPECT_EQ(file().substr(file().find("cache:")),
            "cache:\n  expiration_time: 3600\n"
            "clouds:\n  admin:\n    auth:\n"
            "      username: \"admin\"\n      password: \"" +
                clouds[0].password +
                "\"\n      project_name: \"admin\"\n      user_domain_name: \"Default\"\n"
                "      project_domain_name: \"Default\"\n"
                "      auth_url: \"http://127.0.0.1:1/v3\"\n    region_name: \"eu-de\"\n"
                "    identity_api_version: \"3\"\n    verify: false\n"
                "  prod:\n    profile: otc\n    auth:\n      password: \"1234\"\n"
                "    regions:\n      - a b\n      -\n        name: c\n        values: {}\n"
                "      -\n        - 1\n        - null\n"
                "  nothing: {}\n");
}

TEST_F(Bootstrap_, what_shares_a_text_of_ours_by_an_alias_keeps_it) {
  auto const made = bootstrap(*directory, wanted(false)).value();
  write_file("clouds:\n  elsewhere: {auth: {auth_url: &u http://gateway/v3}}\n"
             "  admin: {auth: {auth_url: *u, username: admin, project_name: admin, password: " +
             made[0].password + "}}\n");
  auto const clouds = bootstrap(*directory, wanted(false)).value();
  ASSERT_TRUE(announce(wanted(false), clouds, "http://127.0.0.1:1"));
  EXPECT_NE(file().find("auth_url: http://gateway/v3"), std::string::npos) << file();
  EXPECT_NE(file().find("auth_url: \"http://127.0.0.1:1/v3\""), std::string::npos) << file();
}

TEST_F(Bootstrap_, an_account_that_scopes_by_project_id_goes_on_to) {
  auto const made = bootstrap(*directory, wanted(false)).value();
  write_file("clouds:\n  admin:\n    auth:\n      username: admin\n      project_id: 1234\n"
             "      password: " +
             made[0].password + "\n");
  auto const clouds = bootstrap(*directory, wanted(false)).value();
  ASSERT_TRUE(announce(wanted(false), clouds, "http://127.0.0.1:1"));
  EXPECT_NE(file().find("      project_id: 1234\n"), std::string::npos) << file();
  EXPECT_EQ(file().find("project_name"), std::string::npos) << file();
}

TEST_F(Bootstrap_, a_file_that_is_right_is_not_touched) {
  auto const clouds = bootstrap(*directory, wanted(false)).value();
  ASSERT_TRUE(announce(wanted(false), clouds, "http://127.0.0.1:1"));
  write_file("# mine\n" + file());
  ASSERT_TRUE(announce(wanted(false), clouds, "http://127.0.0.1:1"));
  EXPECT_TRUE(file().starts_with("# mine\n"));
}

TEST_F(Bootstrap_, a_file_that_cannot_be_read_is_left_as_it_is) {
  ASSERT_TRUE(bootstrap(*directory, wanted(false)));
  auto const good = file();
  for (std::string const& bad :
       {good + "  broken: [\n", good + "---\nclouds: {}\n", std::string("- 1\n"),
        std::string("clouds: 1\n"), std::string("clouds: {admin: secret}\n"),
        std::string("clouds: {admin: {auth: secret}}\n"), std::string("clouds: \xFF\n"),
        std::string("clouds: &a\n  admin:\n    more: *a\n"), std::string("? [a]\n: b\n"),
        good + text_of_a_billion_nodes(), good + std::string(1U << 20U, '#')}) {
    write_file(bad);
    open();
    auto const clouds = bootstrap(*directory, wanted(false));
    ASSERT_TRUE(clouds) << bad;
    ASSERT_TRUE(announce(wanted(false), *clouds, "http://127.0.0.1:1"));
    EXPECT_EQ(file(), bad);
    auto const refused = bootstrap(*directory, wanted(true)); // passwords would have to go there
    ASSERT_FALSE(refused) << bad;
    EXPECT_TRUE(refused.error().detail.starts_with(wanted(true).clouds_file)) << bad;
    EXPECT_EQ(file(), bad);
    EXPECT_EQ(directory->users().list({})->size(), 1U);
  }
}

TEST_F(Bootstrap_, a_cloud_of_another_user_is_not_taken_over) {
  std::string const others = "clouds: {admin: {profile: otc, auth: {token: t}}}\n";
  write_file(others);
  auto const refused = bootstrap(*directory, wanted(false));
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().detail.ends_with("the cloud admin is of another user"));
  EXPECT_EQ(file(), others);
  EXPECT_TRUE(directory->users().list({})->empty());
}

TEST(ReachableUrl, replaces_any_address_by_loopback) {
  EXPECT_EQ(reachable_url("http://0.0.0.0:80"), "http://127.0.0.1:80");
  EXPECT_EQ(reachable_url("https://[::]:80"), "https://[::1]:80");
  EXPECT_EQ(reachable_url("http://10.0.0.0:80"), "http://10.0.0.0:80");
}

} // namespace vitrine::identity::builtin
