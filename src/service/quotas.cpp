#include "service/quotas.hpp"

#include "model/audit.hpp"
#include "store/metadata/audit.hpp"
#include "store/metadata/images.hpp"
#include "store/metadata/quotas.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace vitrine::service {
namespace {

// What an operator may set at most (contract: ims-api 8).
constexpr std::int64_t kImageMax = 1000;
constexpr std::int64_t kImageSharedMax = 10'000;

std::int64_t highest(std::string_view resource) {
  if (resource == quota::image) return kImageMax;
  if (resource == quota::image_shared) return kImageSharedMax;
  return static_cast<std::int64_t>(limits::image_members);
}

Result<> check_resource(std::string_view resource) {
  for (auto const known : {quota::image, quota::image_shared, quota::image_member}) {
    if (resource == known) return {};
  }
  return error(Fault::invalid_value,
               fmt::format("resource: '{}' is none of {}, {}, {}", resource, quota::image,
                           quota::image_shared, quota::image_member),
               "resource");
}

Result<> tell(store::Connection& connection, model::AuditKind const& kind, ProjectId const& project,
              std::string_view resource, Change const& change) {
  model::IdentityChange const event{kind,
                                    change.time,
                                    change.by,
                                    {.type = model::IdentityTarget::Type::quota,
                                     .id = project.text,
                                     .name = "",
                                     .changed = std::span(&resource, 1)}};
  return store::Audit(connection).record(event);
}

} // namespace

std::int64_t Quotas::default_of(std::string_view resource) const {
  if (resource == quota::image) return defaults_.image;
  if (resource == quota::image_shared) return defaults_.image_shared;
  return std::min(ceilings_.image_member, defaults_.image_member);
}

Result<> Quotas::set(ProjectId const& project, std::string_view resource, std::int64_t limit,
                     Change const& change) const {
  TRY(check_resource(resource));
  auto const most = resource == quota::image_member
                        ? ceilings_.image_member
                        : std::max(highest(resource), default_of(resource));
  if (limit < 0 || limit > most) {
    return error(Fault::invalid_value, fmt::format("limit: {} is not within 0 and {}", limit, most),
                 "limit");
  }
  return database_.write([&](store::Connection& connection) -> Result<> {
    store::Quotas quotas(connection);
    if (TRY(quotas.find(project, resource)) == limit) return {};
    TRY(quotas.set(project, resource, limit));
    return tell(connection, model::audit::quota_update, project, resource, change);
  });
}

Result<> Quotas::reset(ProjectId const& project, std::string_view resource,
                       Change const& change) const {
  TRY(check_resource(resource));
  return database_.write([&](store::Connection& connection) -> Result<> {
    if (!TRY(store::Quotas(connection).remove(project, resource))) return {};
    return tell(connection, model::audit::quota_delete, project, resource, change);
  });
}

Result<std::int64_t> Quotas::limit(store::Connection& connection, ProjectId const& project,
                                   std::string_view resource) const {
  auto const stored = TRY(store::Quotas(connection).find(project, resource));
  if (!stored) return default_of(resource);
  return resource == quota::image_member ? std::min(ceilings_.image_member, *stored) : *stored;
}

Result<> Quotas::require_room(store::Connection& connection, ProjectId const& owner,
                              std::int64_t count) const {
  auto const most = TRY(limit(connection, owner, quota::image));
  if (TRY(store::Images(connection).count_owned(owner)) + count <= most) return {};
  return error(Fault::image_quota);
}

Result<bool> Quotas::may_share_another(store::Connection& connection,
                                       ProjectId const& owner) const {
  auto const most = TRY(limit(connection, owner, quota::image_shared));
  if (TRY(store::Quotas(connection).count_with_members(owner)) < most) return true;
  return TRY(store::Images(connection).count_shared_out(owner)) < most;
}

Result<std::vector<QuotaRow>> Quotas::usage(ProjectId const& project) const {
  return database_.read([&](store::Connection& connection) -> Result<std::vector<QuotaRow>> {
    store::Images images(connection);
    auto const owned = TRY(images.count_owned(project));
    auto const shared_out = TRY(images.count_shared_out(project));
    auto const most_members = TRY(images.most_members(project));
    std::vector<QuotaRow> rows{{.type = quota::image, .used = owned},
                               {.type = quota::image_shared, .used = shared_out},
                               {.type = quota::image_member, .used = most_members}};
    for (auto& row : rows) {
      row.quota = TRY(limit(connection, project, row.type));
      // A limit above the usual range is in force all the same, and then ends the range.
      row.max = std::max(highest(row.type), row.quota);
    }
    return rows;
  });
}

} // namespace vitrine::service
