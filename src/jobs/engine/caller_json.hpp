// Who asked for a job, as stored with it: the rules and the audit trail need it later.
#pragma once

#include "base/result.hpp"
#include "model/caller.hpp"

#include <string>
#include <string_view>

namespace vitrine::jobs {

std::string caller_to_json(model::Caller const& caller);
/// Error: `internal` when the text is not what `caller_to_json` wrote.
Result<model::Caller> caller_from_json(std::string_view text);

} // namespace vitrine::jobs
