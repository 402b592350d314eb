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

bool contains(std::vector<Cloud> const& clouds, std::string_view user) {
  return std::ranges::find(clouds, user, &Cloud::user) != clouds.end();
}

// What the file does not tell yet: of a start that was cut short, and new ones.
Result<std::vector<Cloud>> drafts_for(std::string const& path, std::vector<Cloud> const& told,
                                      std::vector<Account> const& missing) {
  auto drafts = TRY(read_draft(path));
  std::erase_if(drafts, [&](Cloud const& cloud) { return contains(told, cloud.user); });
  for (auto const& account : missing) {
    if (contains(told, account.user) || contains(drafts, account.user)) continue;
    drafts.push_back({.user = std::string(account.user),
                      .password = new_secret(),
                      .project = std::string(account.project)});
  }
  return drafts;
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

Result<std::vector<Account>> missing_accounts(Directory& directory, bool demo) {
  std::vector<Account> missing;
  bool const first_start = TRY(directory.users().list({})).empty();
  for (auto const& account : wanted_accounts(first_start, demo)) {
    if (!TRY(exists(directory.users().find(std::string(account.user))))) missing.push_back(account);
  }
  return missing;
}

Result<NewUser> user_of(Directory& directory, Account const& account,
                        std::vector<Cloud> const& clouds) {
  auto const cloud = std::ranges::find(clouds, account.user, &Cloud::user);
  auto const project = TRY(project_named(directory, std::string(account.project)));
  auto const role = TRY(directory.roles().find(std::string(account.role)));
  std::vector<Grant> grants{{model::Scope::of(project.id), role.id}};
  if (account.on_domain) grants.push_back({model::Scope::of(DomainId{kDefaultDomain}), role.id});
  return NewUser{
      .name = std::string(account.user), .password = cloud->password, .grants = std::move(grants)};
}

// All in one step: whoever exists is complete, and of servers that start together one makes all.
Result<> make_accounts(Directory& directory, std::vector<Account> const& accounts,
                       std::vector<Cloud> const& clouds) {
  std::vector<NewUser> users;
  for (auto const& account : accounts)
    users.push_back(TRY(user_of(directory, account, clouds)));
  TRY(directory.users().create_all(users));
  return {};
}

// Each name that is taken was made by somebody else meanwhile, so that fewer are missing.
Result<> make_missing(Directory& directory, bool demo, std::vector<Account> missing,
                      std::vector<Cloud> const& clouds) {
  while (!missing.empty()) {
    auto made = make_accounts(directory, missing, clouds);
    if (made || made.error().fault != Fault::name_taken) return made;
    missing = TRY(missing_accounts(directory, demo));
    std::erase_if(missing, [&](Account const& account) { return !contains(clouds, account.user); });
  }
  return {};
}

} // namespace

Result<std::vector<Cloud>> bootstrap(Directory& directory, Bootstrap const& wanted) {
  TRY(directory.prepare());
  auto const missing = TRY(missing_accounts(directory, wanted.demo));
  auto read = clouds_of_accounts(wanted.clouds_file);
  if (!read && read.error().fault == Fault::invalid_value && missing.empty()) {
    ops::log_warning("clouds.left_alone", {{"detail", read.error().detail}});
    return std::vector<Cloud>{};
  }
  auto clouds = TRY(std::move(read));
  auto const drafts = TRY(drafts_for(wanted.clouds_file, clouds, missing));
  if (drafts.empty()) {
    TRY(make_missing(directory, wanted.demo, missing, clouds));
    TRY(drop_draft(wanted.clouds_file)); // of a start that ended before it did
    return clouds;
  }
  TRY(draft_clouds(wanted.clouds_file, drafts));
  auto known = clouds;
  known.insert(known.end(), drafts.begin(), drafts.end());
  TRY(make_missing(directory, wanted.demo, missing, known));
  for (auto const& cloud : drafts) {
    if (TRY(directory.users().has_password(cloud.user, cloud.password))) clouds.push_back(cloud);
  }
  TRY(announce(wanted, clouds, "http://127.0.0.1"));
  TRY(drop_draft(wanted.clouds_file));
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
