#include "jobs/kinds/deleted_images.hpp"

#include "service/uploads.hpp"
#include "store/metadata/jobs.hpp"

namespace vitrine::jobs {

Result<bool> is_image_deleted(store::Connection& connection, model::Job const& row) {
  if (row.image.empty()) return false;
  auto const there = service::require_there(connection, row.image);
  if (!there && there.error().fault != Fault::image_not_found) return Error(there.error());
  return !there;
}

Result<> find_reason(store::Connection& connection, JobId const& id, Error& why) {
  auto const row = TRY(store::Jobs(connection).get(id));
  if (TRY(is_image_deleted(connection, row))) why = service::deleted_meanwhile();
  return {};
}

} // namespace vitrine::jobs
