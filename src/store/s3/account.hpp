// The keys that requests are signed with.
#pragma once

#include "base/result.hpp"
#include "store/s3/options.hpp"
#include "store/s3/signature.hpp"

#include <memory>
#include <mutex>
#include <utility>

namespace vitrine::store::s3 {

/// Thread-safe.
class Account {
public:
  /// Error: `unavailable` when a file cannot be read or is empty.
  static Result<std::shared_ptr<Account>> open(Keys keys);

  [[nodiscard]] Credentials credentials() const;
  /// The store refused `used`: reads the files again; true when there are other keys now.
  bool renew(Credentials const& used);

private:
  explicit Account(Keys keys) : keys_(std::move(keys)) {}

  Keys const keys_;
  mutable std::mutex mutex_;
  Credentials credentials_;
};

} // namespace vitrine::store::s3
