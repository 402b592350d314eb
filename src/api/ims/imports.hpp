// Bodies that make an image from a file in a bucket (contract: ims-api 6.3.1, 6.3.2, 6.4, 6.5).
#pragma once

#include "api/ims/creation.hpp"
#include "jobs/submit.hpp"

#include <cstdint>
#include <vector>

namespace vitrine::api::ims {

/// Which endpoint makes it.
enum class Creator : std::uint8_t { system_disk, data_disk, quick };

/// The fields of the body of an import, in the order in which faults are told.
std::vector<Field<Creation>> import_fields(Creator creator);
/// The faults of those fields and of `import_order`, for the API document.
std::vector<Fault> import_faults();
/// The job of a body that was read. Errors: what its fields say only together.
Result<jobs::Order> import_order(Context const& context, Creation const& body, Creator creator,
                                 Services& services);

} // namespace vitrine::api::ims
