#include "store/metadata/quotas.hpp"

namespace vitrine::store {

Result<std::optional<std::int64_t>> Quotas::find(ProjectId const& project,
                                                 std::string_view resource) {
  std::optional<std::int64_t> quota;
  TRY(connection_.run(sql::get_quota, {project, resource},
                      [&](Row const& row) { quota = row.integer(0); }));
  return quota;
}

Result<> Quotas::set(ProjectId const& project, std::string_view resource, std::int64_t quota) {
  TRY(connection_.run(sql::set_quota, {project, resource, quota}));
  return {};
}

Result<bool> Quotas::remove(ProjectId const& project, std::string_view resource) {
  return TRY(connection_.run(sql::remove_quota, {project, resource})) > 0;
}

Result<std::int64_t> Quotas::count_with_members(ProjectId const& owner) {
  std::int64_t count = 0;
  TRY(connection_.run(sql::count_images_with_members, {owner},
                      [&](Row const& row) { count = row.integer(0); }));
  return count;
}

} // namespace vitrine::store
