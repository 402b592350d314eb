#include "console/identity.hpp"
#include "identity/builtin/directory_test.hpp"

#include <CLI/CLI.hpp>
#include <gtest/gtest.h>
#include <sstream>

namespace vitrine::console {

class IdentityCommands : public identity::builtin::TestDirectory {
protected:
  /// Runs one command line; its output, or `failed: …`, or `usage` when it does not parse.
  std::string run(std::string const& line, std::string const& password = "pass") {
    CLI::App program;
    program.require_subcommand(1);
    std::ostringstream out;
    std::function<Result<>()> chosen;
    add_identity_commands(program, chosen,
                          {.with_directory = [&](auto const& place, auto const& use) -> Result<> {
                             if (place.standalone != "DIR")
                               return error(Fault::unavailable, "no such directory");
                             return use(*directory);
                           },
                           .read_password = [&]() -> Result<std::string> { return password; },
                           .out = out});
    try {
      program.parse("identity " + line);
    } catch (CLI::ParseError const&) {
      return "usage";
    }
    if (!chosen) return "nothing chosen";
    auto const done = chosen();
    shown = out.str();
    return done ? out.str() : "failed: " + done.error().detail;
  }
  std::string shown; ///< what the last command printed, also when it failed

  bool can_log_in(std::string const& name, std::string const& password) {
    clock.advance(1);
    return directory->tokens().log_in(login_of(name, password)).has_value();
  }
};

TEST_F(IdentityCommands, a_user_with_a_project_logs_in_and_is_taken_away_again) {
  run("project create shop --description Web --standalone DIR");
  EXPECT_EQ(project("shop").description, "Web");
  run("user create ann --project shop --standalone DIR");
  EXPECT_TRUE(can_log_in("ann", "pass"));
  EXPECT_EQ(run("grant list --standalone DIR"), "ann  member  on project shop\n");
  run("user set-password ann --standalone DIR", "other");
  EXPECT_FALSE(can_log_in("ann", "pass"));
  EXPECT_TRUE(can_log_in("ann", "other"));
  run("user disable ann --standalone DIR");
  EXPECT_FALSE(can_log_in("ann", "other"));
  run("user enable ann --standalone DIR");
  EXPECT_TRUE(can_log_in("ann", "other"));
  EXPECT_EQ(run("user delete ann --standalone DIR"), "");
  EXPECT_EQ(run("user list --standalone DIR"), "");
  EXPECT_EQ(run("project delete shop --standalone DIR"), "");
  EXPECT_EQ(run("project list --standalone DIR"), "");
}

TEST_F(IdentityCommands, a_made_password_is_printed_and_works) {
  auto const out = run("user create ann --generate --standalone DIR");
  ASSERT_TRUE(out.starts_with("password: ")) << out;
  auto const password = out.substr(10, out.find('\n') - 10);
  EXPECT_GE(password.size(), 40U);
  EXPECT_TRUE(can_log_in("ann", password));
}

TEST_F(IdentityCommands, no_password_is_shown_for_a_user_who_was_not_made) {
  run("user create ann --generate --standalone DIR");
  EXPECT_EQ(run("user create ann --generate --standalone DIR"),
            "failed: There is a user named ann already.");
  EXPECT_EQ(shown, "");
  EXPECT_TRUE(run("user set-password ann --generate --standalone DIR").starts_with("password: "));
}

TEST_F(IdentityCommands, grants_come_and_go) {
  make_user("ann", "reader");
  EXPECT_EQ(run("grant create --user ann --project ann --role admin --standalone DIR"), "");
  EXPECT_EQ(run("grant create --user ann --domain default --role admin --standalone DIR"), "");
  EXPECT_EQ(run("grant list --user ann --standalone DIR"),
            "ann  admin  on domain Default\nann  admin  on project ann\n"
            "ann  reader  on project ann\n");
  EXPECT_EQ(run("grant delete --user ann --domain default --role admin --standalone DIR"), "");
  EXPECT_EQ(run("grant list --domain default --standalone DIR"), "");
  EXPECT_EQ(run("grant create --user ann --role admin --standalone DIR"),
            "failed: --project or --domain is needed");
  EXPECT_EQ(run("grant delete --user ann --project ann --role service --standalone DIR"),
            "failed: Could not find role assignment: " +
                directory->roles().find("service")->id.text + ".");
}

TEST_F(IdentityCommands, application_credentials_come_and_go) {
  make_user("ann");
  auto const out =
      run("app-credential create backup --user ann --project ann --role reader --standalone DIR");
  EXPECT_TRUE(out.starts_with("id: ")) << out;
  EXPECT_NE(out.find("\nsecret: "), std::string::npos);
  EXPECT_NE(run("app-credential list --user ann --standalone DIR").find("never"),
            std::string::npos);
  EXPECT_EQ(run("app-credential create x --user ann --project ann --role admin --standalone DIR"),
            "failed: The user does not hold the role admin.");
  EXPECT_EQ(run("app-credential delete backup --user ann --standalone DIR"), "");
  EXPECT_EQ(run("app-credential list --user ann --standalone DIR"), "");
}

TEST_F(IdentityCommands, rotating_keys_voids_tokens_only_when_told) {
  make_user("ann");
  auto const token = token_of("ann");
  EXPECT_EQ(run("rotate-keys --standalone DIR"), "");
  EXPECT_TRUE(is_good(token));
  EXPECT_EQ(run("rotate-keys --void-tokens --standalone DIR"), "");
  EXPECT_FALSE(is_good(token));
}

TEST_F(IdentityCommands, names_cannot_steer_the_terminal) {
  std::string const name = "ctl\n\x1b[31m\x7f\xC2\x9b é";
  auto const project = directory->projects().create({.name = name}).value();
  EXPECT_EQ(run("project list --standalone DIR"),
            project.id.text + "  enabled   ctl\\n\\x1b[31m\\x7f\\x9b é\n");
}

TEST_F(IdentityCommands, mistakes_are_told) {
  EXPECT_EQ(run("user list"), "failed: no such directory") << "the configuration may name one";
  EXPECT_EQ(run("user create --standalone DIR"), "usage");
  EXPECT_EQ(run("user create ann secret --standalone DIR"), "usage") << "no password in argv";
  EXPECT_EQ(run("user list --standalone ELSEWHERE"), "failed: no such directory");
  EXPECT_EQ(run("user delete ghost --standalone DIR"), "failed: Could not find user: ghost.");
  EXPECT_EQ(run("role delete member --standalone DIR"),
            "failed: A built-in role cannot be removed.");
}

} // namespace vitrine::console
