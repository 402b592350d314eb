// The keys that requests are signed with.
#pragma once

#include "base/result.hpp"
#include "store/blobs/s3/options.hpp"
#include "store/blobs/s3/signature.hpp"

#include <memory>
#include <mutex>

namespace vitrine::store::s3 {

/// Thread-safe.
class Account {
public:
  /// Error: `unavailable` when a file cannot be read or is empty.
  static Result<std::unique_ptr<Account>> open(Options const& options);

  [[nodiscard]] Credentials credentials() const;
  /// The store refused `used`: reads the files again; true when there are other keys now.
  bool renew(Credentials const& used);

private:
  explicit Account(Options const& options) : options_(options) {}

  Options const& options_;
  mutable std::mutex mutex_;
  Credentials credentials_;
};

} // namespace vitrine::store::s3
