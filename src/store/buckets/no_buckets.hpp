// Where no object store is configured.
#pragma once

#include "store/buckets/buckets.hpp"

namespace vitrine::store {

class NoBuckets final : public Buckets {
public:
  [[nodiscard]] bool is_configured() const noexcept override { return false; }
  Result<std::unique_ptr<BucketObject>> open(BucketUser const& /*user*/,
                                             model::ObjectUrl const& /*url*/) override {
    return error(Fault::no_object_store);
  }
  Result<std::unique_ptr<BytesWriter>> create(BucketUser const& /*user*/,
                                              model::ObjectUrl const& /*url*/,
                                              NewObject /*object*/) override {
    return error(Fault::no_object_store);
  }
  Result<> remove_unfinished(BucketUser const& /*user*/, model::ObjectUrl const& /*url*/,
                             Time /*since*/) override {
    return error(Fault::no_object_store);
  }
};

} // namespace vitrine::store
