#include "base/text.hpp"
#include "store/keys/builtin/keyring.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <sstream>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace vitrine::store {
namespace {

namespace fs = std::filesystem;

class KeyringTest : public testing::Test {
protected:
  KeyringTest() {
    std::string name = (fs::temp_directory_path() / "vitrine_keyring_XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }
  ~KeyringTest() override { fs::remove_all(directory_); }

  std::unique_ptr<Keyring> open() { return Keyring::open(file(), clock_).value(); }
  [[nodiscard]] fs::path file() const { return directory_ / "keyring"; }
  [[nodiscard]] std::string content() const {
    std::ostringstream out;
    out << std::ifstream(file()).rdbuf();
    return out.str();
  }
  void write(std::string const& text) const {
    std::ofstream(file()) << text;
    ::chmod(file().c_str(), 0600);
  }
  static std::string hex(Secret const& secret) { return text::hex(secret.bytes()); }

  fs::path directory_;
  FakeClock clock_{Time{1'700'000'000'000'000}};
};

TEST_F(KeyringTest, TheFirstKeyMakesTheFileForItsOwnerAlone) {
  auto const keys = open();
  EXPECT_FALSE(fs::exists(file()));
  auto const key = keys->create("web").value();
  EXPECT_TRUE(is_uuid(key.id));
  struct stat status{};
  ASSERT_EQ(::stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  auto const listed = open()->list().value();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].id, key.id);
  EXPECT_EQ(listed[0].name, "web");
  EXPECT_EQ(listed[0].state, KeyState::enabled);
  EXPECT_EQ(listed[0].created_at, clock_.now());
}

TEST_F(KeyringTest, ADataKeyIsUnwrappedForWhatItWasWrappedForAlone) {
  auto const keys = open();
  auto const key = keys->create("a").value().id;
  auto const other = keys->create("b").value().id;
  auto const data_key = Secret::random();
  auto const wrapped = keys->wrap(key, data_key, "image").value();
  EXPECT_EQ(wrapped.key, key);
  EXPECT_EQ(wrapped.text.find(hex(data_key)), std::string::npos);
  EXPECT_EQ(hex(open()->unwrap(wrapped, "image").value()), hex(data_key));
  EXPECT_NE(keys->wrap(key, data_key, "image").value().text, wrapped.text) << "a nonce of its own";
  EXPECT_EQ(keys->unwrap(wrapped, "another").error().fault, Fault::internal);
  EXPECT_EQ(keys->unwrap({other, wrapped.text}, "image").error().fault, Fault::internal);
  EXPECT_EQ(keys->unwrap({"nowhere", wrapped.text}, "image").error().fault, Fault::key_missing);
  for (std::size_t i = 0; i < wrapped.text.size(); ++i) {
    auto changed = wrapped;
    changed.text[i] = changed.text[i] == '0' ? '1' : '0';
    EXPECT_FALSE(keys->unwrap(changed, "image")) << i;
  }
  for (auto const& text : {std::string(), std::string("no hex"), wrapped.text.substr(2)})
    EXPECT_EQ(keys->unwrap({key, text}, "image").error().fault, Fault::internal);
}

TEST_F(KeyringTest, ADisabledKeyDoesNothingUntilItIsEnabledAgain) {
  auto const keys = open();
  auto const key = keys->create("a").value().id;
  auto const wrapped = keys->wrap(key, Secret::random(), "image").value();
  auto const console = open(); // of another process
  ASSERT_TRUE(console->set_enabled(key, false));
  EXPECT_EQ(keys->state(key).value(), KeyState::disabled);
  EXPECT_EQ(keys->wrap(key, Secret::random(), "image").error().fault, Fault::key_disabled);
  EXPECT_EQ(keys->unwrap(wrapped, "image").error().fault, Fault::key_disabled);
  ASSERT_TRUE(console->set_enabled(key, true));
  EXPECT_TRUE(keys->unwrap(wrapped, "image"));
  EXPECT_EQ(keys->state("nowhere").value(), KeyState::missing);
  EXPECT_EQ(keys->set_enabled("nowhere", true).error().fault, Fault::key_missing);
}

TEST_F(KeyringTest, AProjectHasOneDefaultKey) {
  auto const keys = open();
  auto const key = keys->default_key({"p1"}).value();
  EXPECT_EQ(keys->default_key({"p1"}).value(), key);
  EXPECT_EQ(open()->default_key({"p1"}).value(), key);
  EXPECT_NE(keys->default_key({"p2"}).value(), key);
  EXPECT_EQ(keys->default_key({"a b\nc"}).error().fault, Fault::invalid_project_id);
  EXPECT_EQ(keys->list().value().size(), 2U);
}

TEST_F(KeyringTest, WhoAsksForTheStateOfADefaultKeyMakesNone) {
  auto const keys = open();
  EXPECT_EQ(keys->default_key_state({"p1"}).value(), KeyState::missing);
  EXPECT_FALSE(fs::exists(file()));
  auto const key = keys->default_key({"p1"}).value();
  auto const console = open();
  EXPECT_EQ(console->default_key_state({"p1"}).value(), KeyState::enabled);
  EXPECT_EQ(console->default_key_state({"p2"}).value(), KeyState::missing);
  ASSERT_TRUE(console->set_enabled(key, false));
  EXPECT_EQ(keys->default_key_state({"p1"}).value(), KeyState::disabled);
}

TEST_F(KeyringTest, NamesAreUniqueAndPlain) {
  auto const keys = open();
  EXPECT_TRUE(keys->create(std::string(64, 'n')));
  EXPECT_TRUE(keys->create("A.b_c-9"));
  EXPECT_EQ(keys->create("A.b_c-9").error().fault, Fault::name_taken);
  for (auto const& name : {std::string(), std::string(65, 'n'), std::string("a b"),
                           std::string("a\nb"), std::string("ims/default:p")}) {
    auto const refused = keys->create(name).error();
    EXPECT_EQ(refused.fault, Fault::invalid_value);
    EXPECT_EQ(refused.detail, "name: must have 1 to 64 of A-Z a-z 0-9 . _ -");
  }
  EXPECT_EQ(keys->list().value().size(), 2U);
}

TEST_F(KeyringTest, AFileThatIsNoneIsRefusedAndStays) {
  auto const good = [&] {
    auto const keys = open();
    EXPECT_TRUE(keys->create("a"));
    return content();
  }();
  for (auto const& text :
       {std::string("something else\n"), std::string(), good.substr(0, good.size() - 1),
        good + "one more\n", good.substr(0, 30) + "\n"}) {
    write(text);
    auto const refused = Keyring::open(file(), clock_);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().fault, Fault::unavailable);
    EXPECT_EQ(refused.error().detail,
              "the keyring " + file().string() + ": is not one of this service");
    EXPECT_EQ(content(), text);
  }
  write(good);
  ::chmod(file().c_str(), 0640);
  EXPECT_NE(Keyring::open(file(), clock_).error().detail.find("chmod 600"), std::string::npos);
}

TEST_F(KeyringTest, WhatOthersAddAtTheSameTimeIsNotLost) {
  constexpr int kThreads = 4;
  constexpr int kEach = 10;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this, i] {
      auto const keys = open();
      for (int j = 0; j < kEach; ++j)
        EXPECT_TRUE(keys->create("k" + std::to_string(i) + "-" + std::to_string(j)));
    });
  }
  for (auto& thread : threads)
    thread.join();
  std::set<std::string> names;
  auto const keys = open()->list().value();
  for (auto const& key : keys)
    names.insert(key.name);
  EXPECT_EQ(names.size(), static_cast<std::size_t>(kThreads * kEach));
}

TEST_F(KeyringTest, WhoHoldsKeysLeavesNoCoreDump) {
  EXPECT_TRUE(open()->create("a"));
  rlimit core{};
  ASSERT_EQ(::getrlimit(RLIMIT_CORE, &core), 0);
  EXPECT_EQ(core.rlim_cur, 0U);
  EXPECT_EQ(core.rlim_max, 0U);
  EXPECT_EQ(::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
}

TEST(SecretTest, ItsPageIsLeftOutOfDumps) {
  auto const secret = Secret::random();
  auto const address = reinterpret_cast<std::uintptr_t>(secret.bytes().data());
  std::ifstream maps("/proc/self/smaps");
  bool within = false;
  std::string flags;
  for (std::string line; flags.empty() && std::getline(maps, line);) {
    unsigned long begin = 0;
    unsigned long end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) {
      within = begin <= address && address < end;
    } else if (within && line.starts_with("VmFlags:")) {
      flags = line + " ";
    }
  }
  EXPECT_NE(flags.find(" dd "), std::string::npos) << flags;
}

} // namespace
} // namespace vitrine::store
