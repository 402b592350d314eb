#include "store/metadata/rename_projects.hpp"

#include "store/metadata/images.hpp"

#include <array>
#include <fmt/format.h>

namespace vitrine::store {
namespace {

// Where the id of a project stands, and what tells the rows of one project apart.
struct Place {
  std::string_view table;
  std::string_view column;
  std::string_view key;
};

constexpr Place kImages{"images", "owner", "id"};
constexpr std::array kOthers{
    Place{"image_members", "project_id", "image_id"}, Place{"quotas", "project_id", "resource"},
    Place{"key_grants", "grantee", "key_id"}, Place{"jobs", "project_id", "id"}};

Result<std::vector<std::string>> keys_of(Connection& connection, Place const& place,
                                         std::string_view project) {
  std::vector<std::string> keys;
  auto const text =
      fmt::format("SELECT {} FROM {} WHERE {} = $1", place.key, place.table, place.column);
  TRY(connection.run({"list_of_project", text}, {project},
                     [&](Row const& row) { keys.push_back(row.string(0)); }));
  return keys;
}

Result<> check_unused(Connection& connection, std::string const& project) {
  auto const check = [&](Place const& place) -> Result<> {
    bool used = false;
    auto const text =
        fmt::format("SELECT 1 FROM {} WHERE {} = $1 LIMIT 1", place.table, place.column);
    TRY(connection.run({"find_of_project", text}, {project}, [&](Row const&) { used = true; }));
    if (!used) return {};
    return error(Fault::conflict, fmt::format("the project {} stands in {} already: two projects "
                                              "cannot become one",
                                              project, place.table));
  };
  TRY(check(kImages));
  for (auto const& place : kOthers)
    TRY(check(place));
  return {};
}

// By the usual way of changing an image: its terms hold the id of its owner.
Result<> rename_owner(Connection& connection, std::string const& before, ProjectId const& after) {
  Images images(connection);
  auto const ids = TRY(keys_of(connection, kImages, before));
  for (auto const& id : ids) {
    auto const image = TRY(images.get({id}));
    auto renamed = image;
    renamed.owner = after;
    TRY(images.update(image, renamed));
  }
  return {};
}

// Row by row, many at once: one statement over all of them could take longer than an answer may.
Result<> rename_in(Connection& connection, Place const& place, std::string const& before,
                   std::string const& after) {
  auto const keys = TRY(keys_of(connection, place, before));
  auto const text = fmt::format("UPDATE {0} SET {1} = $2 WHERE {1} = $1 AND {2} = $3", place.table,
                                place.column, place.key);
  TRY(connection.run_each({"rename_project", text}, rows_for(keys, [&](std::string const& key) {
                            return Params{before, after, key};
                          })));
  return {};
}

} // namespace

Result<std::vector<OwnProject>> projects_in_use(Connection& connection) {
  std::vector<OwnProject> projects;
  TRY(connection.run(sql::list_projects_in_use, {},
                     [&](Row const& row) { projects.push_back({row.string(0), row.string(1)}); }));
  return projects;
}

Result<> rename_projects(Connection& connection, ProjectIds const& ids) {
  for (auto const& [before, after] : ids) {
    if (before == after) continue;
    TRY(check_unused(connection, after));
  }
  for (auto const& [before, after] : ids) {
    if (before == after) continue;
    TRY(rename_owner(connection, before, {after}));
    for (auto const& place : kOthers)
      TRY(rename_in(connection, place, before, after));
  }
  return {};
}

} // namespace vitrine::store
