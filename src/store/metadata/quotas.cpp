#include "store/metadata/quotas.hpp"

namespace vitrine::store {

Result<std::optional<std::int64_t>> Quotas::find(ProjectId const& project,
                                                 std::string_view resource) {
  std::optional<std::int64_t> quota;
  TRY(connection_.run(sql::get_quota, {project, resource},
                      [&](Row const& row) { quota = row.integer(0); }));
  return quota;
}

} // namespace vitrine::store
