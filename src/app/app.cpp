#include "app/app.hpp"

#include "api/describe.hpp"
#include "app/house.hpp"
#include "app/move.hpp"
#include "app/serve.hpp"
#include "app/stores.hpp"
#include "console/blobs.hpp"
#include "console/database.hpp"
#include "console/identity.hpp"
#include "console/keys.hpp"
#include "console/quota.hpp"
#include "identity/builtin/directory.hpp"
#include "jobs/upkeep/audit_export.hpp"
#include "net/tls.hpp"
#include "ops/config.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"
#include "service/key_admin.hpp"
#include "service/policy/policy.hpp"
#include "store/metadata/database_clock.hpp"
#include "store/metadata/postgres/upgrade.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fmt/format.h>
#include <functional>
#include <iostream>
#include <optional>
#include <unistd.h>

namespace vitrine::app {
namespace {

using Chosen = std::function<Result<>()>;

struct ServeArguments {
  ServeOptions options;
  std::string listen;
  std::string role;
  std::string config_file;
};

std::optional<std::string> given(std::string const& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

/// Where the service keeps what it keeps: as the command line says, or the configuration.
Result<std::string> directory_of(std::string const& standalone, ops::Config const& config) {
  using std::filesystem::path;
  auto const& configured = config.storage.directory;
  if (standalone.empty() && configured.empty()) {
    return error(Fault::invalid_value,
                 "no directory: give --standalone DIR or the key storage.directory");
  }
  if (standalone.empty()) return configured;
  if (!configured.empty() &&
      path(standalone).lexically_normal() != path(configured).lexically_normal()) {
    return error(
        Fault::invalid_value,
        fmt::format("storage.directory: {} is not the {} of --standalone", configured, standalone));
  }
  return standalone;
}

void add_serve(CLI::App& program, ServeArguments& arguments, Chosen& chosen) {
  auto* command = program.add_subcommand("serve", "Serve the APIs and work on jobs");
  command->add_option("--standalone", arguments.options.directory,
                      "Directory of everything it keeps; or [storage] directory");
  command->add_flag("--demo", arguments.options.demo, "Also make the demo accounts");
  command->add_option("--listen", arguments.listen,
                      "HOST:PORT, port 0 takes a free one; or [server] listen, or " +
                          ops::Config{}.server.listen);
  command->add_option("--role", arguments.role, "all, api or worker; or [server] role");
  command->add_option("--config", arguments.config_file, "TOML file; see check-config");
  command->callback([&] {
    chosen = [&]() -> Result<> {
      ops::Settings line;
      if (!arguments.listen.empty()) line["server.listen"] = arguments.listen;
      if (!arguments.role.empty()) line["server.role"] = arguments.role;
      auto const config = TRY(
          ops::load_config(given(arguments.config_file), ops::environment_settings(environ), line));
      TRY(ops::configure_log(config.log));
      auto options = arguments.options;
      options.directory = TRY(directory_of(options.directory, config));
      return serve(config, options);
    };
  });
}

// What the service itself would make of its files.
std::vector<ops::FileLook> file_looks() {
  return {
      {"policy.file",
       [](ops::Config const& config) -> Result<> {
         TRY(service::policy::Policy::load(service::policy::defaults(), given(config.policy.file)));
         return {};
       }},
      {"images.os_versions_file",
       [](ops::Config const& config) -> Result<> {
         TRY(os_versions_of(config));
         return {};
       }},
      {"server.certificate_file",
       [](ops::Config const& config) -> Result<> {
         if (config.server.certificate_file.empty()) return {};
         TRY(net::load_tls(config.server.certificate_file, config.server.key_file));
         return {};
       }},
      {"audit.file",
       [](ops::Config const& config) -> Result<> {
         if (config.audit.file.empty()) return {};
         return jobs::AuditExport::check(config.audit.file);
       }},
      {"storage.directory", [](ops::Config const& config) -> Result<> {
         if (config.storage.directory.empty() || !config.audit.file.empty()) return {};
         return jobs::AuditExport::check(audit_file(config, config.storage.directory));
       }}};
}

void add_checks(CLI::App& program, std::string& file, Chosen& chosen) {
  auto* config = program.add_subcommand("check-config", "Check a configuration file");
  config->add_option("file", file, "TOML file")->required();
  config->callback([&] {
    chosen = [&] {
      return ops::check_config(file, ops::environment_settings(environ), file_looks());
    };
  });
  auto* policy = program.add_subcommand("policy", "Policy files");
  policy->require_subcommand(1);
  auto* check = policy->add_subcommand("check", "Check a policy file");
  check->add_option("file", file, "YAML file")->required();
  check->callback([&] {
    chosen = [&]() -> Result<> {
      auto const loaded = TRY(service::policy::Policy::load(service::policy::defaults(), file));
      for (auto const& warning : loaded.warnings())
        std::cerr << warning << "\n";
      return {};
    };
  });
  policy->add_subcommand("sample", "Print a policy file that changes nothing")->callback([&] {
    chosen = []() -> Result<> {
      std::cout << service::policy::sample_yaml();
      return {};
    };
  });
}

// The references of docs/generated, each printed from the one place where its matter is declared.
void add_describe(CLI::App& program, Chosen& chosen) {
  auto* describe = program.add_subcommand("describe", "Print a reference");
  describe->require_subcommand(1);
  auto const add = [&](char const* name, char const* text, std::string (*print)()) {
    describe->add_subcommand(name, text)->callback([&chosen, print] {
      chosen = [print]() -> Result<> {
        std::cout << print();
        return {};
      };
    });
  };
  add("openapi", "The API as OpenAPI 3.1", api::describe_openapi);
  add("errors", "The failures and how each API answers them", api::describe_errors_markdown);
  add("config", "The configuration keys", ops::describe_config_markdown);
  add("metrics", "The metrics", ops::describe_metrics_markdown);
  add("policy", "The policies", service::policy::sample_yaml);
}

// The directory of a service that is there: a database made here would be one without an
// administrator for ever. One whose rows are elsewhere needs none, and may have one for image data.
Result<std::string> service_directory(console::Place const& place, ops::Config const& config) {
  auto const& standalone = place.standalone;
  if (!config.database.url.empty()) {
    return standalone.empty() ? config.storage.directory : standalone;
  }
  auto directory = TRY(directory_of(standalone, config));
  if (TRY(holds_service(directory))) return directory;
  std::string serve = "vitrine serve"; // enough where the environment names the directory
  if (!standalone.empty()) serve += " --standalone " + standalone;
  if (!place.config_file.empty()) serve += " --config " + place.config_file;
  return error(Fault::unavailable,
               fmt::format("{} holds no service yet: the first `{}` makes it", directory, serve));
}

/// That of the servers, which compare the times.
Result<> set(store::DatabaseClock& clock, ops::Config const& config, store::Database& database) {
  return config.database.url.empty() ? Result<>() : clock.follow(database);
}

Result<> with_directory(console::Place const& place, console::IdentityTools::Use const& use) {
  auto const config =
      TRY(ops::load_config(given(place.config_file), ops::environment_settings(environ)));
  if (config.identity.driver == ops::IdentityDriver::keystone) {
    return error(Fault::invalid_value, "these commands are for the built-in identity; with "
                                       "[identity] driver = keystone use `openstack`");
  }
  auto const home = TRY(service_directory(place, config));
  auto const database = TRY(open_database(home, config.database));
  store::DatabaseClock clock;
  TRY(set(clock, config, *database));
  identity::builtin::Options options;
  options.access_key_file = access_key_file(config, home);
  identity::builtin::Directory directory(*database, clock, std::move(options));
  TRY(directory.prepare());
  return use(directory);
}

Result<std::vector<std::string>> upgrade_database(std::string const& config_file, bool contract) {
  auto const config = TRY(ops::load_config(given(config_file), ops::environment_settings(environ)));
  if (config.database.url.empty()) {
    return error(Fault::unavailable,
                 "database.url is empty: a server brings its own file up to date");
  }
  using store::postgres::Upgrade;
  return store::postgres::upgrade(postgres_options(config.database),
                                  contract ? Upgrade::contract : Upgrade::expand);
}

Result<> move_database(console::DatabaseTools::Move const& move,
                       std::function<void(std::string const&)> const& tell) {
  auto const config =
      TRY(ops::load_config(given(move.config_file), ops::environment_settings(environ)));
  return move_service({move.directory, move.projects_file}, config, tell);
}

Result<service::BlobReport> check_blobs(console::Place const& place) {
  auto const config =
      TRY(ops::load_config(given(place.config_file), ops::environment_settings(environ)));
  if (config.storage.driver == ops::StorageDriver::file) {
    TRY(directory_of(place.standalone, config)); // of image data, also where rows are elsewhere
  }
  auto const home = TRY(service_directory(place, config));
  auto const database = TRY(open_database(home, config.database));
  TRY(check_mounted(home, config, *database));
  auto const blobs = TRY(open_blobs(home, config, database.get(), nullptr));
  return service::check_blobs(*database, *blobs);
}

/// Of a Keystone only ids are known here. A name would be stored, and never be met; `was_stored`:
/// by an earlier release it was.
Result<> check_keystone_id(std::string_view what, std::string_view text, bool was_stored) {
  if (was_stored || is_job_id(text) || text == "default") return {}; // 32 hex digits, as theirs
  return error(Fault::invalid_value,
               fmt::format("'{}' is not the id of a {} of Keystone: 32 hex digits, or default; "
                           "`openstack {} show` tells it",
                           text, what, what));
}

Result<ProjectId> project_named(std::string const& text, bool was_stored, ops::Config const& config,
                                store::Database& database) {
  if (config.identity.driver == ops::IdentityDriver::keystone) {
    TRY(check_keystone_id("project", text, was_stored));
    return ProjectId{text};
  }
  SystemClock const clock;
  identity::builtin::Directory directory(database, clock, {});
  return TRY(directory.projects().find(text)).id;
}

Result<> with_quotas(console::Place const& place, console::QuotaTools::Project const& project,
                     console::QuotaTools::Use const& use) {
  auto const config =
      TRY(ops::load_config(given(place.config_file), ops::environment_settings(environ)));
  auto const home = TRY(service_directory(place, config));
  auto const database = TRY(open_database(home, config.database));
  auto const id = TRY(project_named(project.text, project.was_set, config, *database));
  store::DatabaseClock clock;
  TRY(set(clock, config, *database));
  auto quotas = quotas_of(config, *database);
  return use(quotas, id, clock.now());
}

/// The exit status of the work, which tells in one line why it failed. What is thrown is a bug, or
/// memory that ran out: told, too, instead of a core dump.
int done_or_told(Chosen const& work) {
  std::string reason;
  try {
    auto const done = work();
    if (done) return 0;
    auto const& failed = done.error();
    reason = failed.detail.empty() ? text_of(failed.fault) : failed.detail;
  } catch (std::exception const& thrown) {
    reason = thrown.what();
  }
  std::cerr << "vitrine: " << reason << "\n";
  return 1;
}

/// The exit status of a line that is no command. Of a word in a command's place the parser only
/// says that a command is missing: the word is what it should name.
int refused(CLI::App const& program, CLI::ParseError const& problem) {
  auto const unknown = program.remaining(true);
  bool const names_none = problem.get_name() == "RequiredError" && !unknown.empty();
  int const status = names_none ? program.exit(CLI::ExtrasError(unknown)) : program.exit(problem);
  return status == 0 ? 0 : 2;
}

Result<DomainId> domain_named(std::string const& text, bool was_stored, ops::Config const& config,
                              store::Database& database) {
  if (config.identity.driver == ops::IdentityDriver::keystone) {
    TRY(check_keystone_id("domain", text, was_stored));
    return DomainId{text};
  }
  SystemClock const clock;
  identity::builtin::Directory directory(database, clock, {});
  auto const by_name = TRY(directory.domains().list(text, std::nullopt));
  if (!by_name.empty()) return by_name.front().id;
  return TRY(directory.domains().get({text})).id;
}

Result<model::Scope> grantee_of(console::KeyTools::Grantee const& named, ops::Config const& config,
                                store::Database& database) {
  bool const was_granted = named.was_granted;
  if (!named.project.empty()) {
    return model::Scope::of(TRY(project_named(named.project, was_granted, config, database)));
  }
  if (named.domain.empty()) return model::Scope{};
  return model::Scope::of(TRY(domain_named(named.domain, was_granted, config, database)));
}

Result<> with_keys(console::KeyTools::Place const& place, console::KeyTools::Grantee const& named,
                   console::KeyTools::Use const& use) {
  auto const config =
      TRY(ops::load_config(given(place.config_file), ops::environment_settings(environ)));
  auto const home = TRY(service_directory({place.standalone, place.config_file}, config));
  auto const database = TRY(open_database(home, config.database));
  auto const grantee = TRY(grantee_of(named, config, *database));
  store::DatabaseClock clock;
  TRY(set(clock, config, *database));
  auto const keys = TRY(open_keys(home, config, clock));
  service::KeyAdmin admin(*keys, *database);
  return use(admin, grantee, clock.now());
}

} // namespace

int run(int count, char const* const* arguments) {
  CLI::App program("Vitrine, an image service");
  program.set_version_flag("--version", std::string("vitrine ") + VITRINE_VERSION);
  program.require_subcommand(1);
  Chosen chosen;
  ServeArguments serve_arguments;
  std::string file;
  add_serve(program, serve_arguments, chosen);
  add_checks(program, file, chosen);
  add_describe(program, chosen);
  console::add_identity_commands(program, chosen,
                                 {.with_directory = with_directory,
                                  .read_password = console::read_password_from_stdin,
                                  .out = std::cout});
  console::add_blob_commands(program, chosen, {.check = check_blobs, .out = std::cout});
  console::add_quota_commands(program, chosen, {.with_quotas = with_quotas, .out = std::cout});
  console::add_key_commands(program, chosen, {.with_keys = with_keys, .out = std::cout});
  console::add_database_commands(
      program, chosen, {.upgrade = upgrade_database, .move = move_database, .out = std::cout});
  try {
    program.parse(count, arguments);
  } catch (CLI::ParseError const& problem) {
    return refused(program, problem);
  }
  return chosen ? done_or_told(chosen) : 2;
}

} // namespace vitrine::app
