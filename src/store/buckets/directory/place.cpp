#include "store/buckets/directory/place.hpp"

#include "base/text.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vitrine::store::directory {
namespace {

constexpr std::size_t kPartBytesMax = 255; // of any file system
constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

bool is_plain(std::string_view part) {
  return !part.empty() && part != "." && part != ".." && part.find('/') == part.npos &&
         part.find('\0') == part.npos;
}

} // namespace

Descriptor::~Descriptor() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Error io_failure(std::string_view what, int code) {
  if (code == ENOSPC || code == EDQUOT) return error(Fault::store_full, "No space is left.");
  return error(Fault::bucket_unavailable,
               fmt::format("The bucket fails to {}: {}.", what, std::strerror(code)));
}

Result<Descriptor> open_bucket(std::filesystem::path const& directory, BucketUser const& user,
                               std::string const& bucket) {
  if (!is_plain(user.project.text) || !is_plain(bucket)) return error(Fault::bucket_refused);
  Descriptor const root(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  Descriptor const project(::openat(root.get(), user.project.text.c_str(), kDirectory));
  Descriptor found(::openat(project.get(), bucket.c_str(), kDirectory));
  if (!found.is_open()) return error(Fault::bucket_refused);
  return found;
}

Result<std::vector<std::string>> parts_of(std::string const& object) {
  std::vector<std::string> parts;
  for (auto const part : text::split(object, '/')) {
    if (!is_plain(part) || part.starts_with(kUnfinished)) {
      return error(Fault::object_name_invalid,
                   fmt::format("No part of the name between slashes may be empty, '.' or '..', or "
                               "begin with '{}'.",
                               kUnfinished));
    }
    if (part.size() > kPartBytesMax) {
      return error(
          Fault::object_name_too_long,
          fmt::format("A part of the name between slashes has at most {} bytes.", kPartBytesMax));
    }
    parts.emplace_back(part);
  }
  return parts;
}

Result<Descriptor> open_parent(Descriptor const& bucket, std::vector<std::string> const& parts,
                               bool make) {
  Descriptor at(::fcntl(bucket.get(), F_DUPFD_CLOEXEC, 0));
  if (!at.is_open()) return io_failure("open a directory", errno);
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    if (make && ::mkdirat(at.get(), parts[i].c_str(), 0700) == 0) {
      if (::fsync(at.get()) != 0) return io_failure("sync", errno);
    } else if (make && errno != EEXIST) {
      return io_failure("make a directory", errno);
    }
    Descriptor next(::openat(at.get(), parts[i].c_str(), kDirectory));
    if (!next.is_open()) {
      if (make && (errno == ENOTDIR || errno == ELOOP)) {
        return error(Fault::object_exists, "A part of the way to the object is an object.");
      }
      if (make) return io_failure("open a directory", errno);
      return Descriptor(-1);
    }
    at = std::move(next);
  }
  return at;
}

} // namespace vitrine::store::directory
