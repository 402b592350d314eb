#include "model/audit.hpp"

namespace vitrine::model {

AuditEvent audit_event(AuditKind const& kind, Time time, Caller const& caller, Image const& image) {
  return {.kind = kind,
          .time = time,
          .caller = caller,
          .image = image.id,
          .image_name = image.name.value_or(""),
          .image_owner = image.owner,
          .job = {},
          .pairs = {}};
}

} // namespace vitrine::model
