#include "app/move_checks.hpp"

#include "app/stores.hpp"
#include "base/clock.hpp"
#include "store/metadata/image_keys.hpp"
#include "store/metadata/jobs.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>
#include <set>
#include <span>
#include <sstream>
#include <vector>

namespace vitrine::app {
namespace {

bool asks_keystone(ops::Config const& config) {
  return config.identity.driver == ops::IdentityDriver::keystone;
}

std::string first_of(std::vector<std::string> const& lines) {
  constexpr std::size_t kToldMax = 10;
  auto const shown = std::min(lines.size(), kToldMax);
  auto text = fmt::format("\n  {}", fmt::join(std::span(lines).first(shown), "\n  "));
  if (lines.size() > shown) text += fmt::format("\n  and {} more", lines.size() - shown);
  return text;
}

Result<std::vector<store::OwnProject>> projects_in_use(store::Database& database) {
  return database.read(
      [](store::Connection& connection) { return store::projects_in_use(connection); });
}

// Each new id once, and none that is an old one: what goes by it would be of two projects.
Result<> check_new_ids(std::string const& file, store::ProjectIds const& ids) {
  std::set<std::string_view> seen;
  for (auto const& [before, after] : ids) {
    if (!is_job_id(after) && after != "default") { // 32 hex digits, as those of Keystone
      return error(Fault::invalid_value,
                   fmt::format("{}: '{}' is not the id of a project of Keystone", file, after));
    }
    if (seen.insert(after).second && (before == after || !ids.contains(after))) continue;
    return error(Fault::invalid_value,
                 fmt::format("{}: {} is named twice: two projects cannot become one", file, after));
  }
  return {};
}

} // namespace

Result<store::ProjectIds> read_project_ids(std::string const& file) {
  store::ProjectIds ids;
  if (file.empty()) return ids;
  std::ifstream lines(file);
  if (!lines) {
    return error(Fault::unavailable, fmt::format("cannot read {}: {}", file, std::strerror(errno)));
  }
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string before;
    std::string after;
    std::string more;
    if (!(words >> before)) continue;
    if (!(words >> after) || words >> more || !ids.emplace(before, after).second) {
      return error(Fault::invalid_value,
                   fmt::format("{}:{}: must be OLD NEW, the ids of one project, and OLD in no "
                               "other line",
                               file, number));
    }
  }
  TRY(check_new_ids(file, ids));
  return ids;
}

Result<> check_projects(store::Database& database, ops::Config const& config,
                        store::ProjectIds const& ids) {
  if (!asks_keystone(config)) {
    if (ids.empty()) return {};
    return error(Fault::invalid_value, "--projects is for a move to a Keystone: projects of the "
                                       "built-in identity keep their ids");
  }
  auto const projects = TRY(projects_in_use(database));
  std::vector<std::string> missing;
  for (auto const& project : projects) {
    if (!ids.contains(project.id)) missing.push_back(project.id + "  " + project.name);
  }
  if (missing.empty()) return {};
  return error(Fault::conflict,
               fmt::format("Keystone does not know the projects of the built-in identity, so that "
                           "nobody would see their images: make {} of them there, and give a file "
                           "with a line OLD NEW for each as --projects, or keep the built-in "
                           "identity:{}",
                           missing.size(), first_of(missing)));
}

Result<> check_image_keys(store::Database& database, std::string const& home,
                          ops::Config const& config) {
  auto const needed = TRY(database.read(
      [](store::Connection& connection) { return store::ImageKeys(connection).master_keys(); }));
  if (needed.empty()) return {};
  SystemClock const clock;
  auto const keys = TRY(open_keys(home, config, clock));
  std::vector<std::string> missing;
  for (auto const& [key, images] : needed) {
    auto const state = keys->state(key);
    bool const none = !state && state.error().fault == Fault::no_key_service;
    if (!state && !none) return Error(state.error());
    if (none || *state == store::KeyState::missing) {
      missing.push_back(fmt::format("{} of {} images", key, images));
    }
  }
  if (missing.empty()) return {};
  return error(Fault::conflict,
               fmt::format("images are encrypted with keys that the new configuration has not: "
                           "name their keyring with keys.file, or make plain copies of the images "
                           "and delete them:{}",
                           first_of(missing)));
}

Result<> check_jobs(store::Database& database, ops::Config const& config, bool buckets_stay) {
  bool const users_stay = asks_keystone(config) && !TRY(projects_in_use(database)).empty();
  if (!users_stay && !buckets_stay) return {};
  auto const open = TRY(database.read(
      [](store::Connection& connection) { return store::Jobs(connection).open_jobs(); }));
  if (open.count == 0) return {};
  return error(Fault::conflict,
               fmt::format("{} jobs have not ended, and {} stay behind: start the service again, "
                           "and stop it when its metric vitrine_jobs_open is 0",
                           open.count,
                           users_stay ? "the users that they are of"
                                      : "the files in the buckets of the users"));
}

} // namespace vitrine::app
