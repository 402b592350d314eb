// imsNativeExportImageJob: what it is asked for.
#pragma once

#include "jobs/submit.hpp"
#include "service/exports.hpp"

namespace vitrine::jobs {

Order export_order(model::Caller const& caller, service::Exports const& exports,
                   service::ExportRequest const& request);

} // namespace vitrine::jobs
