// imsImportOvaImageJob: the system disk and the data disks of one machine, from files of their own
// or from one archive, each an image with a sub job (contract: ims-api 6.3.2, job-types.tsv).
#pragma once

#include "jobs/submit.hpp"
#include "service/imports.hpp"

#include <string_view>
#include <vector>

namespace vitrine::jobs {

/// One image of several.
struct ImagePart {
  std::string_view kind; ///< that a job for it alone would have
  service::ImportRequest request;
};

/// The order to import each from its file; the first is the system disk.
Order images_order(model::Caller const& caller, service::Imports const& imports,
                   std::vector<ImagePart> const& parts);

/// The order to import what is in an OVA; which disks there are, only the job finds. `data` is what
/// every data disk has in common: the names are made of that of the system disk.
Order ova_order(model::Caller const& caller, service::Imports const& imports,
                service::ImportRequest const& system, service::ImportRequest const& data);

} // namespace vitrine::jobs
