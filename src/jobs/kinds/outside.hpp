// Failures of what lies outside of the service, as jobs take them.
#pragma once

#include "base/error.hpp"

namespace vitrine::jobs {

/// What the object store says ends a job: it was asked several times, and the caller can mend the
/// bucket, the object or the rights, and ask anew.
inline Error final_error(Error const& failure) {
  if (failure.fault != Fault::bucket_unavailable) return failure;
  return error(Fault::bucket_refused, failure.detail);
}

} // namespace vitrine::jobs
