// The jobs that bring a file from a bucket into an image: what they are asked for.
#pragma once

#include "jobs/submit.hpp"
#include "service/imports.hpp"

#include <string_view>

namespace vitrine::jobs {

inline constexpr std::string_view kImportImage = "imsImportImageJob";
inline constexpr std::string_view kImportIso = "imsImportIsoFileImageJob";
inline constexpr std::string_view kImportData = "imsImportDataImageJob";
inline constexpr std::string_view kRegisterImage = "imsNativeImportImageJob";

/// Is the job told with a sub job, which is itself? Error: `internal` for arguments of others.
Result<bool> has_sub_job(model::Job const& job);

/// The order to import, of one of these kinds.
Order import_order(std::string_view kind, model::Caller const& caller,
                   service::Imports const& imports, service::ImportRequest const& request);

} // namespace vitrine::jobs
