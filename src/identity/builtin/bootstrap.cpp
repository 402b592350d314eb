#include "identity/builtin/bootstrap.hpp"

#include "identity/builtin/directory.hpp"
#include "ops/log.hpp"

#include <algorithm>
#include <array>

namespace vitrine::identity::builtin {
namespace {

struct Account {
  std::string_view user;
  std::string_view project;
  std::string_view role;
  bool on_domain; ///< the role on the default domain too: who administers may scope to it
};

constexpr Account kAdministrator{"admin", "admin", "admin", true};
constexpr std::array kDemoAccounts = {
    Account{"demo", "demo", "member", false}, Account{"alt", "alt", "member", false},
    Account{"third", "third", "member", false}, Account{"viewer", "demo", "reader", false}};

// Once there are users, an administrator who is missing was removed on purpose.
std::vector<Account> wanted_accounts(bool first_start, bool demo) {
  std::vector<Account> accounts;
  if (first_start) accounts.push_back(kAdministrator);
  if (demo) accounts.insert(accounts.end(), kDemoAccounts.begin(), kDemoAccounts.end());
  return accounts;
}

bool is_of_account(Cloud const& cloud) {
  return cloud.user == kAdministrator.user ||
         std::ranges::find(kDemoAccounts, cloud.user, &Account::user) != kDemoAccounts.end();
}

// Other clouds in the file are none of our business.
Result<std::vector<Cloud>> clouds_of_accounts(std::string const& path) {
  auto clouds = TRY(read_clouds(path));
  std::erase_if(clouds, [](Cloud const& cloud) { return !is_of_account(cloud); });
  return clouds;
}

// Success as true, "is not there" as false.
template <class T>
Result<bool> exists(Result<T> const& found) {
  if (found) return true;
  if (found.error().fault == Fault::not_found) return false;
  return Error(found.error());
}

Result<model::Project> project_named(Directory& directory, std::string const& name) {
  auto created = directory.projects().create({.name = name});
  if (created || created.error().fault != Fault::name_taken) return created;
  return directory.projects().find(name);
}

// The user comes with its roles in one step: whoever exists is complete.
Result<> make_account(Directory& directory, Account const& account, std::string const& password) {
  auto const project = TRY(project_named(directory, std::string(account.project)));
  auto const role = TRY(directory.roles().find(std::string(account.role)));
  std::vector<Grant> grants{{model::Scope::of(project.id), role.id}};
  if (account.on_domain) grants.push_back({model::Scope::of(DomainId{kDefaultDomain}), role.id});
  TRY(directory.users().create(
      {.name = std::string(account.user), .password = password, .grants = std::move(grants)}));
  return {};
}

} // namespace

Result<std::vector<Cloud>> bootstrap(Directory& directory, Bootstrap const& wanted) {
  TRY(directory.prepare());
  std::vector<Account> missing;
  bool const first_start = TRY(directory.users().list({})).empty();
  for (auto const& account : wanted_accounts(first_start, wanted.demo)) {
    if (!TRY(exists(directory.users().find(std::string(account.user))))) missing.push_back(account);
  }
  auto read = clouds_of_accounts(wanted.clouds_file);
  if (!read && read.error().fault == Fault::invalid_value && missing.empty()) {
    ops::log_warning("clouds.left_alone", {{"detail", read.error().detail}});
    return std::vector<Cloud>{};
  }
  auto clouds = TRY(std::move(read));
  for (auto const& account : missing) {
    std::string const name(account.user);
    if (std::ranges::find(clouds, name, &Cloud::user) != clouds.end()) continue;
    clouds.push_back(
        {.user = name, .password = new_secret(), .project = std::string(account.project)});
  }
  if (!missing.empty()) TRY(announce(wanted, clouds, "http://127.0.0.1"));
  for (auto const& account : missing) {
    auto const cloud = std::ranges::find(clouds, account.user, &Cloud::user);
    TRY(make_account(directory, account, cloud->password));
  }
  return clouds;
}

Result<> announce(Bootstrap const& wanted, std::vector<Cloud> const& clouds, std::string_view url) {
  return write_clouds(wanted.clouds_file, clouds, reachable_url(url) + "/v3", wanted.region);
}

std::string reachable_url(std::string_view url) {
  std::string out(url);
  for (auto const& [any, loopback] :
       {std::pair<std::string_view, std::string_view>{"://0.0.0.0", "://127.0.0.1"},
        {"://[::]", "://[::1]"}}) {
    if (auto const at = out.find(any); at != std::string::npos)
      out.replace(at, any.size(), loopback);
  }
  return out;
}

} // namespace vitrine::identity::builtin
