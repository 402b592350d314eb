// Failures of what lies outside of the service, as jobs take them.
#pragma once

#include "base/error.hpp"

#include <string>

namespace vitrine::jobs {

/// What the object store says ends a job: it was asked several times, and the caller can mend the
/// bucket, the object or the rights, and ask anew.
inline Error final_error(Error const& failure) {
  if (failure.fault != Fault::bucket_unavailable) return failure;
  return error(Fault::bucket_refused, failure.detail);
}

/// What another service has not answered several times ends a job, too.
inline Error final_answer(Error const& failure) {
  if (failure.kind() != Kind::unavailable) return failure;
  return error(Fault::cloud_failed,
               failure.detail.empty() ? std::string(text_of(failure.fault)) : failure.detail);
}

} // namespace vitrine::jobs
