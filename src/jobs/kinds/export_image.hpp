// imsNativeExportImageJob: what it is asked for.
#pragma once

#include "jobs/submit.hpp"
#include "service/exports.hpp"

#include <string_view>

namespace vitrine::jobs {

inline constexpr std::string_view kExportImage = "imsNativeExportImageJob";

Order export_order(model::Caller const& caller, service::Exports const& exports,
                   service::ExportRequest const& request);

} // namespace vitrine::jobs
