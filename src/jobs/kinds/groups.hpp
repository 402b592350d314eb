// The kinds of jobs that work on pairs: several images share a transaction, each leaves one item.
#pragma once

#include "jobs/kinds/kinds.hpp"
#include "jobs/kinds/pairs.hpp"
#include "service/sharing.hpp"

#include <functional>

namespace vitrine::jobs {

/// Treats one image with its projects, inside a transaction; returns which projects failed.
using Apply = std::function<Result<service::PairFailures>(store::Connection&, service::KeyStates&,
                                                          service::Batch const&, ImageId const&)>;
/// Called once a run of a job, with what it was asked for, which outlives what it returns. After
/// an error nothing is applied in this run.
using Prepare = std::function<Result<Apply>(JobContext const&, PairArguments const&)>;

/// A kind that applies to every image that has no item yet, in order; `not_stored` is told of the
/// pairs of an image whose `Apply` cannot be stored, and of what is left when the job is given up.
JobKind groups_kind(std::string_view name, KindServices const& services, Fault not_stored,
                    Prepare prepare);

} // namespace vitrine::jobs
