// A directory on a database of its own, for tests: cheap passwords, a clock that stands still.
#pragma once

#include "base/clock.hpp"
#include "identity/builtin/directory.hpp"
#include "store/metadata/engines_test.hpp"

#include <filesystem>
#include <gtest/gtest.h>
#include <memory>
#include <string>

namespace vitrine::identity::builtin {

constexpr std::int64_t kSecond = kMicrosecondsPerSecond;

class TestDirectory : public ::testing::Test {
protected:
  TestDirectory() {
    std::filesystem::create_directories(folder);
    open();
  }
  ~TestDirectory() override {
    directory.reset();
    database.reset();
    std::filesystem::remove_all(folder);
  }

  /// Opens the directory (again), as a second start does.
  void open(Options options = cheap()) {
    directory.reset();
    database.reset();
    auto opened = rows.open();
    if (!opened) std::abort();
    database = std::move(*opened);
    directory = std::make_unique<Directory>(*database, clock, std::move(options));
    if (!directory->prepare()) std::abort();
  }

  static Options cheap() {
    Options options;
    options.password_cost = {.passes = 1, .memory_kib = 8};
    return options;
  }

  /// A user with a role in a project of the user's name.
  model::User make_user(std::string const& name, std::string const& role = "member") {
    auto const project = directory->projects().create({.name = name}).value();
    auto const user = directory->users().create({.name = name, .password = name + "-secret"});
    grant(*user, project, role);
    return *user;
  }
  void grant(model::User const& user, model::Project const& project, std::string const& role) {
    auto const id = directory->roles().find(role).value().id;
    ASSERT_TRUE(directory->roles().grant(user.id, model::Scope::of(project.id), id));
  }
  model::Project project(std::string const& name) {
    return directory->projects().find(name).value();
  }

  static InDomain named(std::string const& name) {
    return {.self = {.id = {}, .name = name}, .domain = {.id = {}, .name = "Default"}};
  }
  static Login login_of(std::string const& name, std::string const& password) {
    return {.password = PasswordProof{.user = named(name), .password = password},
            .address = "192.0.2.1"};
  }
  static Login login_to(std::string const& name, std::string const& project) {
    auto login = login_of(name, name + "-secret");
    login.scope = {.kind = WantedScope::Kind::project, .target = named(project)};
    return login;
  }
  /// A token of the user for the project of the same name; time passes first, since what voids
  /// tokens voids those of the same microsecond too.
  std::string token_of(std::string const& name) {
    clock.advance(1);
    return directory->tokens().log_in(login_to(name, name)).value().text;
  }
  bool is_good(std::string const& token) {
    return directory->tokens().caller_of({token}).has_value();
  }

  FakeClock clock{Time{1'800'000'000 * kSecond}};
  std::filesystem::path const folder =
      std::filesystem::path(::testing::TempDir()) / ("identity-" + new_hex_id());
  store::TestStore const rows{folder};
  std::unique_ptr<store::Database> database;
  std::unique_ptr<Directory> directory;
};

} // namespace vitrine::identity::builtin
