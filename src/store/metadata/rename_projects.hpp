// Projects that another identity service knows by other ids.
#pragma once

#include "store/metadata/connection.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace vitrine::store {

/// The new id of a project, by the old one. The same one says that it stays.
using ProjectIds = std::map<std::string, std::string, std::less<>>;

/// A project of the built-in identity.
struct OwnProject {
  std::string id;
  std::string name;
};

/// The projects of the built-in identity that have anything which goes by their id: images, shares,
/// limits, keys. In the order of their names.
Result<std::vector<OwnProject>> projects_in_use(Connection& connection);

/// Gives all that goes by the id of a project to the new one: images, shares, limits, grants of
/// keys, jobs. What tells of the past keeps the old one: results of jobs and audit events. Error:
/// `conflict` naming a new id that has something already.
Result<> rename_projects(Connection& connection, ProjectIds const& ids);

} // namespace vitrine::store
