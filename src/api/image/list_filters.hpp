// What a query of GET /v2/images asks the store for (contract: glance-v2 3.3).
#pragma once

#include "api/kit/query.hpp"
#include "model/caller.hpp"
#include "model/listing.hpp"

namespace vitrine::api::image {

struct PageLimits {
  std::int64_t standard; ///< without `limit`
  std::int64_t most;     ///< larger values of `limit` are cut
};

/// The listing that a caller's query means, without its marker. Times are compared at whole
/// seconds, as they are answered; in profile ims, attributes that are computed by what the document
/// shows. Error: `invalid_query`, naming the parameter.
Result<model::ImageListing> read_listing(Query const& query, model::Caller const& caller,
                                         PageLimits limits, bool ims_profile);

} // namespace vitrine::api::image
