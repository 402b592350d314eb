// Buckets as directories: DIR/<project>/<bucket>/<object>, the slashes of an object's name being
// directories. Whoever runs the server makes the buckets, with mkdir.
#pragma once

#include "store/buckets/buckets.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

namespace vitrine::store {

/// A user reaches the buckets of their project. Nothing outside of them is reached: each directory
/// on the way is opened by itself, and a symbolic link is none. Names that a directory does not
/// take, such as `a//b` or one with a part `..`, are `object_name_invalid`, and
/// `object_name_too_long` when a part has more than 255 bytes. An object that is being written is
/// BUCKET/.vitrine-<hash of its name>-<random>, which no name of an object can be. Marks are not
/// kept.
class DirectoryBuckets final : public Buckets {
public:
  explicit DirectoryBuckets(std::filesystem::path directory) : directory_(std::move(directory)) {}

  Result<std::unique_ptr<BucketObject>> open(BucketUser const& user,
                                             model::ObjectUrl const& url) override;
  Result<std::unique_ptr<BytesWriter>> create(BucketUser const& user, model::ObjectUrl const& url,
                                              NewObject object) override;
  Result<> remove_unfinished(BucketUser const& user, model::ObjectUrl const& url,
                             Time since) override;

private:
  std::filesystem::path const directory_;
};

} // namespace vitrine::store
