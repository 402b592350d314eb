// Bodies that make an image from a file in a bucket (contract: ims-api 6.3.1, 6.3.2, 6.4, 6.5).
#pragma once

#include "api/ims/creation.hpp"

#include <cstdint>
#include <vector>

namespace vitrine::api::ims {

/// Which endpoint makes it.
enum class Creator : std::uint8_t { system_disk, data_disk, quick };

/// Whether the body is about the image of a data disk, which is an action of its own: judged before
/// the fields, as everywhere (contract: ims-api 2.1).
bool names_data_disk(json::Object const& object);
/// The fields of the body of an import, for the API document.
std::vector<FieldInfo> import_infos(Creator creator);
/// The faults of `submit_import`, for the API document.
std::vector<Fault> import_faults();
/// Reads the body of an import and submits its job, which is told with a sub job or without one.
/// Errors: that of the first field at fault; what the fields say only together; those of
/// `Submitter::submit`.
Result<Reply> submit_import(Context const& context, json::Object const& object, Creator creator,
                            bool has_sub_job, Services& services);

} // namespace vitrine::api::ims
