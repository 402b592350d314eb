// Buckets of an S3-compatible object store.
#pragma once

#include "model/object_store_keys.hpp"
#include "store/buckets/buckets.hpp"
#include "store/s3/calls.hpp"

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace vitrine::store::s3 {

struct BucketsOptions {
  ServerOptions server{};
  std::optional<Keys> keys{}; ///< for users without keys of their own
  /// Which project reaches which bucket with them.
  std::set<std::pair<ProjectId, std::string>> allowed{};
  std::size_t part_bytes{16U << 20U};
};

/// A user reaches what their own EC2 credential for the project reaches. Who has none reaches with
/// the configured keys what the operator has allowed the project. The endpoint is the operator's,
/// so no caller chooses a host.
class S3Buckets final : public Buckets {
public:
  /// Asks the store nothing; the configured keys are read when they are first needed. `own` knows
  /// the keys of the users, null when nobody does; it must outlive this.
  S3Buckets(BucketsOptions options, model::ObjectStoreKeys* own);

  Result<std::unique_ptr<BucketObject>> open(BucketUser const& user,
                                             model::ObjectUrl const& url) override;
  Result<std::unique_ptr<BytesWriter>> create(BucketUser const& user, model::ObjectUrl const& url,
                                              NewObject object) override;
  Result<> remove_unfinished(BucketUser const& user, model::ObjectUrl const& url,
                             Time since) override;

private:
  Result<std::shared_ptr<Account>> configured_account();
  Result<std::shared_ptr<Account>> account_for(BucketUser const& user, std::string const& bucket);
  Result<Calls> calls_for(BucketUser const& user, std::string const& bucket);
  [[nodiscard]] Result<> check_region(Calls const& calls) const;

  SystemClock const clock_;
  BucketsOptions const options_;
  model::ObjectStoreKeys* const own_;
  std::mutex mutex_;
  std::shared_ptr<Account> configured_; ///< once it was needed
  Server server_;
};

} // namespace vitrine::store::s3
