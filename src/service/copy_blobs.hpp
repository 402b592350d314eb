// All image data of a service from one store into another: for who outgrows a directory.
#pragma once

#include "base/result.hpp"
#include "store/blobs/blobs.hpp"
#include "store/metadata/database.hpp"

#include <cstdint>
#include <functional>

namespace vitrine::service {

struct CopiedBlobs {
  std::int64_t blobs{0};
  std::int64_t bytes{0};
};

/// Tells how far a copy has come, after each blob: `done` of `total`.
using BlobProgress = std::function<void(CopiedBlobs const& done, CopiedBlobs const& total)>;

/// Copies the data that `database` names from the first store into another one, under the same ids;
/// what lies in further stores is left there. Then reads each back and compares it with its
/// SHA-512. What was copied by an earlier run and is whole is not copied again. Nobody may upload
/// or delete meanwhile. Errors: `conflict` naming the blob when the data that is there is not what
/// the database says, or what was read back is not; those of the database and the stores.
Result<CopiedBlobs> copy_blobs(store::Database& database, store::Blobs& from, store::Blobs& into,
                               BlobProgress const& progress);

} // namespace vitrine::service
