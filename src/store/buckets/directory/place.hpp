// Finds the place of an object below a directory, and nothing beside; for the files of this folder
// only.
#pragma once

#include "base/result.hpp"
#include "store/buckets/buckets.hpp"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace vitrine::store::directory {

/// An open file or directory.
class Descriptor {
public:
  explicit Descriptor(int descriptor) noexcept : descriptor_(descriptor) {}
  Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Descriptor();
  [[nodiscard]] int get() const noexcept { return descriptor_; }
  [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }

private:
  int descriptor_;
};

inline constexpr std::string_view kUnfinished = ".vitrine-"; ///< begins the names of such files

/// What an errno means, by its text.
Error io_failure(std::string_view what, int code);

/// The directory of a bucket. Error: `bucket_refused`.
Result<Descriptor> open_bucket(std::filesystem::path const& directory, BucketUser const& user,
                               std::string const& bucket);

/// The parts of an object's name. Errors: `object_name_invalid`, `object_name_too_long`.
Result<std::vector<std::string>> parts_of(std::string const& object);

/// The directory of an object in its bucket; not open when it is not there. `make` makes what is
/// missing, so that it survives a crash. Errors: `object_exists` when a part of the way is an
/// object, `store_full`, `bucket_unavailable`.
Result<Descriptor> open_parent(Descriptor const& bucket, std::vector<std::string> const& parts,
                               bool make);

} // namespace vitrine::store::directory
