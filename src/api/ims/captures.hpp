// Bodies that make images from a server, volumes or a backup (contract: ims-api 6.3.3 to 6.3.5,
// 6.6).
#pragma once

#include "api/ims/creation.hpp"
#include "jobs/submit.hpp"
#include "service/captures.hpp"

#include <string_view>
#include <vector>

namespace vitrine::api::ims {

/// The id under `name`, as far as there can be one of that form. Errors: `missing` when it is empty
/// or not a string, `unknown` when no service has ids like it.
Result<std::string> source_id(json::Object const& object, std::string_view name, Fault missing,
                              Fault unknown);
/// Reads a body, but for the field that names the source. Error: that of the first field at fault.
Result<Creation> read_capture(Context const& context, json::Object const& object,
                              service::CaptureSource source, Services& services);
/// The faults of the fields and of `capture_order`, for the API document.
std::vector<Fault> capture_faults();
/// The job of a body that was read. Errors: what its fields say only together; `not_offered` or
/// `no_backup_service` when a service that is needed is not configured, or not in the catalog.
Result<jobs::Order> capture_order(Context const& context, Creation const& body,
                                  service::CaptureSource source, std::string id,
                                  Services& services);

/// What `data_images` is then, for the API document.
std::string data_volumes_schema();
/// The job of a body with `data_images`, of one volume each. Errors: those of the fields, and as
/// above.
Result<jobs::Order> captures_order(Context const& context, json::Object const& object,
                                   Services& services);

} // namespace vitrine::api::ims
