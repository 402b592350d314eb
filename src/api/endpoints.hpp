// The list of all endpoints.
#pragma once

#include "api/kit/endpoint.hpp"

#include <vector>

namespace vitrine::api {

/// Every endpoint, in the order of the API documents; verbs of one path in the order of `Allow`.
std::vector<Endpoint> all_endpoints();

/// The version documents of `GET /`, `/versions` and of paths that name no API, with the given
/// status.
Reply version_list(Context& context, bool several_stores, int status);

} // namespace vitrine::api
