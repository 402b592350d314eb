#include "ops/config.hpp"
#include "ops/config_keys.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <regex>
#include <set>
#include <sstream>

namespace vitrine::ops {
namespace {

class ConfigFile : public testing::Test {
protected:
  void TearDown() override { std::filesystem::remove(path_); }

  std::string write(std::string_view text) const {
    std::ofstream(path_) << text;
    return path_;
  }

  // The faults of a file, with the path cut off.
  std::string faults(std::string_view text) const {
    auto const config = load_config(write(text));
    if (config) return "";
    auto detail = config.error().detail;
    for (std::size_t at; (at = detail.find(path_)) != std::string::npos;) {
      detail.replace(at, path_.size(), "F");
    }
    return detail;
  }

  std::string const path_ = testing::TempDir() + "vitrine_config_test.toml";
};

// A file of all keys at the defaults that the reference shows, but for those of further stores:
// there are as many as the file names, and none at first.
std::string reference_as_file() {
  std::string out;
  std::istringstream reference(describe_config_markdown());
  for (std::string line; std::getline(reference, line);) {
    if (line.starts_with("## [store.")) break;
    if (line.starts_with("## ")) out += line.substr(3) + "\n";
    // | key | `variable` | type | `default` | ...
    std::smatch row;
    if (std::regex_search(line, row, std::regex(R"(^\| (\w+) \| `\w+` \| [^|]* \| `(.*?)` \|)"))) {
      out += row.str(1) + " = " + row.str(2) + "\n";
    }
  }
  return out;
}

} // namespace

TEST_F(ConfigFile, precedence_is_command_line_environment_file_default) {
  auto const path = write("[server]\nlisten = \"0.0.0.0:1\"\nio_threads = 3\napi_threads = 4\n");
  auto const config = load_config(
      path, {{"VITRINE_SERVER_LISTEN", "0.0.0.0:2"}, {"VITRINE_SERVER_IO_THREADS", "5"}},
      {{"server.listen", "[::1]:3"}});
  ASSERT_TRUE(config) << config.error().detail;
  EXPECT_EQ(config->server.listen, "[::1]:3");
  EXPECT_EQ(config->server.io_threads, 5);
  EXPECT_EQ(config->server.api_threads, 4);
  EXPECT_EQ(config->server.transfer_threads, 4);
}

TEST_F(ConfigFile, s3_needs_to_know_where_and_as_whom) {
  auto const head = std::string("[storage]\ndriver = \"s3\"\n[s3]\n");
  std::string const fault = "F:2: storage.driver: ";
  EXPECT_EQ(faults(head), fault + "s3 needs s3.endpoint\n" + fault + "s3 needs s3.bucket\n" +
                              fault + "s3 needs either s3.access_key or s3.access_key_file\n" +
                              fault + "s3 needs either s3.secret_key or s3.secret_key_file");
  auto const place = head + "endpoint = \"http://127.0.0.1:9000\"\nbucket = \"images\"\n";
  std::string const both = "access_key = \"a\"\nsecret_key = \"b\"\nsecret_key_file = \"c\"\n";
  EXPECT_EQ(faults(place + both), fault + "s3 needs either s3.secret_key or s3.secret_key_file");
  EXPECT_EQ(faults(place + "access_key = \"a\"\nsecret_key_file = \"c\"\n"), "");
}

TEST_F(ConfigFile, a_bucket_in_the_host_needs_a_host_with_a_name) {
  std::string const keys = "access_key = \"a\"\nsecret_key = \"b\"\naddressing = \"host\"\n";
  for (auto const* const endpoint : {"http://10.0.0.1:7480/s3", "https://[::1]"}) {
    auto const line = fmt::format("endpoint = \"{}\"\n", endpoint);
    auto const fault =
        fmt::format("host needs an endpoint with a name, {} has an address", endpoint);
    EXPECT_EQ(faults("[storage]\ndriver = \"s3\"\n[s3]\nbucket = \"images\"\n" + keys + line),
              "F:7: s3.addressing: " + fault);
    EXPECT_EQ(faults("[buckets]\ndriver = \"s3\"\n" + keys + line),
              "F:5: buckets.addressing: " + fault);
  }
  for (auto const* const endpoint : {"http://10.0.0.example.org", "http://localhost:7480"}) {
    EXPECT_EQ(faults("[storage]\ndriver = \"s3\"\n[s3]\nbucket = \"images\"\n" + keys +
                     fmt::format("endpoint = \"{}\"\n", endpoint)),
              "");
  }
}

TEST_F(ConfigFile, names_of_buckets_and_prefixes_are_checked) {
  EXPECT_EQ(faults("[s3]\nbucket = \"No_Bucket\"\n"),
            "F:2: s3.bucket: must have 3 to 63 of a-z 0-9 . - with a letter or digit at both ends");
  EXPECT_EQ(faults("[s3]\npart_size_mib = 4\nprefix = \"/x\"\n"),
            "F:2: s3.part_size_mib: 4 is out of range, 5 to 1024\n"
            "F:3: s3.prefix: must have at most 512 of A-Z a-z 0-9 / . _ - and not begin with a "
            "slash");
}

TEST_F(ConfigFile, further_stores_are_as_many_as_sections) {
  auto const config =
      load_config(write("[storage]\ndefault = \"cold-2\"\n[store.fast]\ndirectory = \"/srv/fast\"\n"
                        "[store.cold-2]\ndriver = \"s3\"\nendpoint = \"https://s3.example.org\"\n"
                        "bucket = \"images\"\naccess_key = \"a\"\n"),
                  {{"VITRINE_STORE_COLD_2_SECRET_KEY", "hush"}});
  ASSERT_TRUE(config) << config.error().detail;
  ASSERT_EQ(config->stores.size(), 2U);
  EXPECT_EQ(config->stores.at("fast").directory, "/srv/fast");
  EXPECT_EQ(config->stores.at("cold-2").driver, StorageDriver::s3);
  EXPECT_EQ(config->stores.at("cold-2").s3.bucket, "images");
  EXPECT_EQ(config->stores.at("cold-2").s3.secret_key, "hush");
}

TEST_F(ConfigFile, further_stores_have_names_and_places_of_their_own) {
  std::string const form =
      "the name of a store has 1 to 63 of a-z 0-9 - _ and begins with a letter "
      "or digit";
  EXPECT_EQ(faults("[store.Fast]\n[store._a]\n"),
            "F:1: store.Fast: " + form + "\nF:2: store._a: " + form);
  EXPECT_EQ(faults("[storage]\nname = \"a.b\"\n"), "F:2: storage.name: " + form);
  EXPECT_EQ(faults("[store]\nfast = 1\n"), "F:2: store.fast: must be a section");
  EXPECT_EQ(faults("[store.fast]\nspeed = 1\n"), "F:2: store.fast.speed: no key has this name");
  EXPECT_EQ(faults("[store.a-b]\n[store.a_b]\n"), "F:2: store.a_b: has the variables of store.a-b");
  EXPECT_EQ(faults("[store.fast]\n[store.slow]\ndirectory = \"slow\"\n"),
            "F:1: store.fast.directory: must be a whole path, from / on\n"
            "F:3: store.slow.directory: must be a whole path, from / on");
  EXPECT_EQ(faults("[storage]\ndefault = \"fast\"\n"),
            "F:2: storage.default: there is no store 'fast'");
  EXPECT_EQ(faults("[store.main]\ndirectory = \"/a\"\n"),
            "F:1: store.main: has the name of the first store, storage.name");
  EXPECT_EQ(faults("[storage]\ndirectory = \"/a\"\n[store.x]\ndirectory = \"/a/b/../blobs/\"\n"
                   "[store.y]\ndirectory = \"/b\"\n[store.z]\ndirectory = \"/b//\"\n"),
            "F:3: store.x: keeps image data in the place of storage\n"
            "F:7: store.z: keeps image data in the place of store.y");
  EXPECT_EQ(faults("[store.s]\ndriver = \"s3\"\nbucket = \"images\"\naccess_key = \"a\"\n"),
            "F:2: store.s.driver: s3 needs store.s.endpoint\n"
            "F:2: store.s.driver: s3 needs either store.s.secret_key or store.s.secret_key_file");
  auto const unknown = load_config(std::nullopt, {{"VITRINE_STORE_FAST_DIRECTORY", "/a"}});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().detail,
            "environment VITRINE_STORE_FAST_DIRECTORY: variable: names no key");
}

TEST_F(ConfigFile, servers_of_other_roles_share_every_store) {
  EXPECT_EQ(faults("[server]\nrole = \"api\"\n[database]\nurl = \"postgresql:///v\"\n"
                   "[storage]\ndriver = \"s3\"\n[s3]\nendpoint = \"https://s3.example.org\"\n"
                   "bucket = \"images\"\naccess_key = \"a\"\nsecret_key = \"b\"\n"
                   "[store.fast]\ndirectory = \"/a\"\n"),
            "F:2: server.role: api needs store.fast.driver = s3: servers of other roles share the "
            "image data");
}

TEST_F(ConfigFile, buckets_need_to_know_where_and_as_whom) {
  std::string const head = "[buckets]\ndriver = \"s3\"\n";
  std::string const url = head + "endpoint = \"https://s3.example.org\"\n";
  std::string const keys = "access_key = \"a\"\nsecret_key = \"hush\"\n";
  std::string const keystone = "[identity]\ndriver = \"keystone\"\nusername = \"u\"\n"
                               "password = \"hush\"\nauth_url = \"https://k:5000\"\n";
  std::string const fault = "F:2: buckets.driver: ";
  std::string const pair = fault + "each of the two keys goes in itself or its file, and both go "
                                   "together";
  EXPECT_EQ(faults(head + keys), fault + "s3 needs buckets.endpoint");
  EXPECT_EQ(faults(url), fault + "s3 needs keys: only Keystone knows those of the users");
  EXPECT_EQ(faults(url + keystone), "");
  EXPECT_EQ(faults(url + "allow = [\"p1:images\"]\n" + keystone),
            fault + "buckets.allow needs keys");
  EXPECT_EQ(faults(url + "access_key = \"a\"\n"), pair);
  EXPECT_EQ(faults(url + keys + "secret_key_file = \"f\"\n"), pair);
  EXPECT_EQ(faults(url + keys + "allow = [\"p1:images\", \"p1\"]\n"),
            "F:6: buckets.allow: 'p1' is not PROJECT_ID:BUCKET");
  EXPECT_EQ(faults(url + keys + "allow = [\"p1:images\"]\naddressing = \"host\"\n"), "");
}

TEST_F(ConfigFile, barbican_needs_a_keystone) {
  std::string const head = "[keys]\ndriver = \"barbican\"\n";
  std::string const url = "url = \"https://k:9311\"\n";
  std::string const keystone = "[identity]\ndriver = \"keystone\"\nusername = \"u\"\n"
                               "password = \"hush\"\nauth_url = \"https://k:5000\"\n";
  std::string const fault = "F:2: keys.driver: barbican needs ";
  EXPECT_EQ(faults(head + url), fault + "identity.driver = keystone");
  EXPECT_EQ(faults(head + keystone), fault + "keys.url");
  EXPECT_EQ(faults(head + url + keystone), "");
}

TEST_F(ConfigFile, keystone_needs_to_know_where_and_as_whom) {
  std::string const head = "[identity]\ndriver = \"keystone\"\n";
  std::string const url = head + "auth_url = \"https://k:5000/v3\"\n";
  std::string const fault = "F:2: identity.driver: ";
  EXPECT_EQ(faults(head + "username = \"u\"\npassword = \"hush\"\n"),
            fault + "keystone needs auth_url");
  EXPECT_EQ(faults(url + "password = \"hush\"\n"),
            fault + "keystone needs username or application_credential_id");
  EXPECT_EQ(faults(url + "username = \"u\"\n"),
            fault + "username needs either password or password_file");
  EXPECT_EQ(faults(url + "username = \"u\"\npassword = \"hush\"\npassword_file = \"f\"\n"),
            fault + "username needs either password or password_file");
  EXPECT_EQ(faults(url + "application_credential_id = \"c\"\n"),
            fault + "application_credential_id needs application_credential_secret");
  EXPECT_EQ(faults(url + "username = \"u\"\npassword_file = \"f\"\n"), "");
  EXPECT_EQ(faults(url + "application_credential_id = \"c\"\n"
                         "application_credential_secret = \"hush\"\n"),
            "");
}

TEST_F(ConfigFile, a_check_looks_at_the_files_it_names) {
  auto const missing = path_ + ".none";
  auto const path = write(
      fmt::format("[server]\ncertificate_file = \"{}\"\nkey_file = \"{}\"\n", missing, path_));
  auto const checked =
      check_config(path, {{"VITRINE_POLICY_FILE", missing}, {"VITRINE_LOG_FILE", missing}});
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().detail,
            fmt::format("{0}:2: server.certificate_file: {1} is not a file that can be read\n"
                        "environment VITRINE_POLICY_FILE: policy.file: {1} is not a file that can "
                        "be read",
                        path, missing));
  auto const unwritable = check_config(
      write(fmt::format("[log]\nfile = \"{}/x\"\n[audit]\nfile = \"/\"\n", missing)), {});
  ASSERT_FALSE(unwritable);
  EXPECT_EQ(unwritable.error().detail,
            fmt::format("{0}:4: audit.file: / is not a file that can be written\n"
                        "{0}:2: log.file: {1}/x is not a file that can be written",
                        path, missing));
  EXPECT_TRUE(load_config(path)) << "others than the service may load it";
}

TEST_F(ConfigFile, every_type_from_file_and_environment_alike) {
  auto const path =
      write("[server]\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n"
            "[compat]\nprofile = \"glance\"\n[images]\nunique_names = true\n"
            "[policy]\nrole_aliases = { te_admin = \"member\", readonly = \"reader\" }\n");
  auto const from_file = load_config(path);
  auto const from_environment = load_config(
      std::nullopt, {{"VITRINE_SERVER_TRUSTED_PROXIES", "10.0.0.0/8, ::1"},
                     {"VITRINE_COMPAT_PROFILE", "glance"},
                     {"VITRINE_IMAGES_UNIQUE_NAMES", "true"},
                     {"VITRINE_POLICY_ROLE_ALIASES", "te_admin=member,readonly=reader"}});
  std::map<std::string, std::string> const aliases = {{"te_admin", "member"},
                                                      {"readonly", "reader"}};
  for (auto const* config : {&from_file, &from_environment}) {
    ASSERT_TRUE(*config) << config->error().detail;
    EXPECT_EQ((*config)->server.trusted_proxies, (std::vector<std::string>{"10.0.0.0/8", "::1"}));
    EXPECT_EQ((*config)->compat.profile, Profile::glance);
    EXPECT_TRUE((*config)->images.unique_names);
    EXPECT_EQ((*config)->policy.role_aliases, aliases);
  }
}

TEST_F(ConfigFile, faults_name_file_line_key_and_limit) {
  EXPECT_EQ(faults("[server]\n\nio_threads = 0\n"),
            "F:3: server.io_threads: 0 is out of range, 1 to 64");
  EXPECT_EQ(faults("[server]\nio_threads = \"2\"\n"),
            "F:2: server.io_threads: must be a whole number, 1 to 64");
  EXPECT_EQ(faults("[log]\nlevel = \"loud\"\n"),
            "F:2: log.level: must be one of debug, info, warning, error, off");
  EXPECT_EQ(faults("[metrics]\nenabled = 1\n"), "F:2: metrics.enabled: must be true or false");
  EXPECT_EQ(faults("[servr]\n"), "F:1: servr: no section has this name");
  EXPECT_EQ(faults("[server]\nlissen = 1\n"), "F:2: server.lissen: no key has this name");
  EXPECT_EQ(faults("server = 1\n"), "F:1: server: must be a section");
  EXPECT_EQ(faults("[server]\nlisten = \"9292\"\n"),
            "F:2: server.listen: '9292' is not HOST:PORT, port 0 to 65535");
  EXPECT_EQ(faults("[server]\ntrusted_proxies = [\"10.0.0.0/33\"]\n"),
            "F:2: server.trusted_proxies: '10.0.0.0/33' is neither an address nor a network "
            "such as 10.0.0.0/8");
  EXPECT_EQ(faults("[policy]\nrole_aliases = { a = 1 }\n"),
            "F:2: policy.role_aliases: must be a table of texts");
  EXPECT_EQ(faults("[server]\nkey_file = \"k.pem\"\n"),
            "F:2: server.key_file: certificate_file and key_file go together");
  EXPECT_EQ(faults("[images]\npage_max = 10\n"),
            "F:2: images.page_max: page_default 25 is above page_max 10");
  EXPECT_TRUE(faults("[server\n").starts_with("F:1: file: ")) << faults("[server\n");
}

TEST_F(ConfigFile, all_faults_are_told_at_once) {
  EXPECT_EQ(faults("[jobs]\nworkers = 0\n[quota]\nimage = -1\n"),
            "F:2: jobs.workers: 0 is out of range, 1 to 256\n"
            "F:4: quota.image: -1 is out of range, 0 to 2147483647");
}

TEST(Config, faults_of_the_environment_and_the_command_line) {
  auto const detail = [](Settings const& environment, Settings const& command_line) {
    auto const config = load_config(std::nullopt, environment, command_line);
    return config ? "" : config.error().detail;
  };
  EXPECT_EQ(detail({{"VITRINE_JOBS_WORKERS", "many"}}, {}),
            "environment VITRINE_JOBS_WORKERS: jobs.workers: must be a whole number, 1 to 256");
  EXPECT_EQ(detail({{"VITRINE_JOBS_WORKER", "1"}}, {}),
            "environment VITRINE_JOBS_WORKER: variable: names no key");
  EXPECT_EQ(detail({{"VITRINE_ELSEWHERE", "1"}}, {}), "") << "not of a section: not ours";
  EXPECT_EQ(detail({}, {{"jobs.worker", "1"}}), "command line: jobs.worker: names no key");
  EXPECT_EQ(detail({{"VITRINE_POLICY_ROLE_ALIASES", "a"}}, {}),
            "environment VITRINE_POLICY_ROLE_ALIASES: policy.role_aliases: 'a' is not NAME=VALUE");
}

TEST(Config, a_missing_file_is_a_fault) {
  auto const config = load_config("/nonexistent/vitrine.toml");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().detail,
            "/nonexistent/vitrine.toml: file: is not a file that can be read");
}

TEST(Config, environment_keeps_our_variables_only) {
  char const* const environment[] = {"PATH=/bin", "VITRINE_LOG_LEVEL=debug", "VITRINE_X=a=b",
                                     nullptr};
  EXPECT_EQ(environment_settings(environment),
            (Settings{{"VITRINE_LOG_LEVEL", "debug"}, {"VITRINE_X", "a=b"}}));
}

TEST_F(ConfigFile, defaults_of_the_reference_are_valid_and_change_nothing) {
  auto const file = reference_as_file();
  auto const loaded = load_config(write(file));
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ(loaded->identity.password_memory_kib, Config{}.identity.password_memory_kib);
  std::set<std::string_view> sections;
  for (auto const& key : config_keys())
    sections.insert(key.section);
  EXPECT_EQ(std::ranges::count(file, '\n'), std::ssize(config_keys()) + std::ssize(sections))
      << "a line a key and a section";
}

TEST_F(ConfigFile, a_wrong_database_url_is_not_shown) {
  auto const loaded = load_config(write("[database]\nurl = \"mysql://u:hunter2@h/d\"\n"));
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().detail.find("database.url: must be postgresql://"), std::string::npos);
  EXPECT_EQ(loaded.error().detail.find("hunter2"), std::string::npos);
}

TEST(Config, keys_are_unique_lie_within_bounds_and_are_described) {
  std::set<std::string> names;
  auto const markdown = describe_config_markdown();
  Config defaults;
  for (auto const& key : config_keys()) {
    EXPECT_TRUE(names.insert(key.full_name()).second) << key.full_name();
    EXPECT_TRUE(key.description.ends_with('.')) << key.full_name();
    EXPECT_NE(markdown.find("`" + key.variable() + "`"), std::string::npos) << key.full_name();
    auto const slot = key.slot(defaults);
    if (auto const* const* number = std::get_if<std::int64_t*>(&slot)) {
      EXPECT_GE(**number, key.min) << key.full_name();
      EXPECT_LE(**number, key.max) << key.full_name();
    }
  }
  EXPECT_NE(markdown.find("| listen | `VITRINE_SERVER_LISTEN` | text | `\"127.0.0.1:9292\"` |"),
            std::string::npos);
}

TEST(Config, host_and_port) {
  EXPECT_EQ(*parse_host_port("localhost:0"), (HostPort{"localhost", 0}));
  EXPECT_EQ(*parse_host_port("[::1]:65535"), (HostPort{"::1", 65'535}));
  for (auto const* bad :
       {"", "host", ":1", "h:", "h:65536", "h:-1", "h:-0", "::1:80", "[]:1", "[::1]"}) {
    EXPECT_FALSE(parse_host_port(bad)) << bad;
  }
}

} // namespace vitrine::ops
