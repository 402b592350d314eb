#include "store/buckets/directory/directory_buckets.hpp"

#include "base/hash.hpp"
#include "base/text.hpp"
#include "store/buckets/directory/place.hpp"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vitrine::store {
namespace {

using directory::Descriptor;
using directory::io_failure;

constexpr std::size_t kReadBytes = 256U << 10U;

Error missing() { return error(Fault::object_unreadable, "The object does not exist."); }

Error changed() {
  return error(Fault::object_unreadable, "The object was changed while it was read.");
}

std::int64_t microseconds(timespec const& time) {
  return time.tv_sec * kMicrosecondsPerSecond + time.tv_nsec / 1000;
}

// Changes with the bytes, and also when others are put in place of the file.
std::string etag_of(struct stat const& status) {
  return fmt::format("\"{:x}-{:x}-{:x}{:09}\"", status.st_ino, status.st_size,
                     status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

class FileObject final : public BucketObject {
public:
  FileObject(Descriptor file, struct stat const& status)
      : file_(std::move(file)), info_{.size_bytes = static_cast<std::uint64_t>(status.st_size),
                                      .etag = etag_of(status),
                                      .changed_at = Time{microseconds(status.st_mtim)},
                                      .mark = std::nullopt} {}

  [[nodiscard]] ObjectInfo const& info() const noexcept override { return info_; }
  [[nodiscard]] std::uint64_t size_bytes() const noexcept override { return info_.size_bytes; }
  [[nodiscard]] std::size_t read_bytes_best() const noexcept override { return kReadBytes; }

  Result<> read(std::uint64_t offset, std::span<std::byte> into) override {
    while (!into.empty()) {
      auto const got = ::pread(file_.get(), into.data(), into.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return io_failure("read", errno);
      if (got == 0) return changed();
      offset += static_cast<std::uint64_t>(got);
      into = into.subspan(static_cast<std::size_t>(got));
    }
    struct stat now{};
    if (::fstat(file_.get(), &now) != 0) return io_failure("look", errno);
    return etag_of(now) == info_.etag ? Result<>() : changed();
  }

  Result<> stream(std::uint64_t offset, std::uint64_t count, Room const& room,
                  Take const& take) override {
    while (count > 0) {
      auto block = room();
      auto const part = block.room().first(std::min<std::uint64_t>(count, Block::kBytes));
      TRY(read(offset, part));
      block.extend(part.size());
      offset += part.size();
      count -= part.size();
      TRY(take(std::move(block)));
    }
    return {};
  }

private:
  Descriptor const file_;
  ObjectInfo const info_;
};

/// Begins the names of all files that an object is written to.
std::string unfinished_name(std::string const& object) {
  return std::string(directory::kUnfinished) + sha256_hex(object) + "-";
}

class FileWriter final : public BytesWriter {
public:
  FileWriter(Descriptor bucket, std::string name, Descriptor file, std::vector<std::string> parts,
             std::function<Result<>()> last_look)
      : bucket_(std::move(bucket)), name_(std::move(name)), file_(std::move(file)),
        parts_(std::move(parts)), last_look_(std::move(last_look)) {}
  ~FileWriter() override { ::unlinkat(bucket_.get(), name_.c_str(), 0); }

  Result<> write(std::span<std::byte const> bytes) override {
    while (!bytes.empty()) {
      auto const written = ::write(file_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return io_failure("write", errno);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
  }

  Result<> commit() override {
    if (::fsync(file_.get()) != 0) return io_failure("sync", errno);
    auto const parent = TRY(directory::open_parent(bucket_, parts_, true));
    if (last_look_) TRY(last_look_());
    // A link, unlike a rename, never replaces what is there.
    if (::linkat(bucket_.get(), name_.c_str(), parent.get(), parts_.back().c_str(), 0) != 0) {
      if (errno == EEXIST) return error(Fault::object_exists);
      return io_failure("put the object in its place", errno);
    }
    return ::fsync(parent.get()) == 0 ? Result<>() : io_failure("sync", errno);
  }

private:
  Descriptor const bucket_;
  std::string const name_; ///< of the file, in the bucket
  Descriptor const file_;
  std::vector<std::string> const parts_; ///< of the object's name
  std::function<Result<>()> const last_look_;
};

/// The names of files in a bucket that begin so and were changed at `since` or later.
std::vector<std::string> files_of(Descriptor const& bucket, std::string const& start, Time since) {
  std::vector<std::string> names;
  // A descriptor of its own: its place in the directory must not be shared.
  int const descriptor = ::openat(bucket.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const listing = descriptor < 0 ? nullptr : ::fdopendir(descriptor);
  if (listing == nullptr) return names;
  while (auto const* entry = ::readdir(listing)) {
    struct stat status{};
    std::string name = entry->d_name;
    bool const ours = name.starts_with(start) &&
                      ::fstatat(descriptor, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (ours && microseconds(status.st_mtim) >= since.us - kClocksApartUs) {
      names.push_back(std::move(name));
    }
  }
  ::closedir(listing);
  return names;
}

} // namespace

Result<std::unique_ptr<BucketObject>> DirectoryBuckets::open(BucketUser const& user,
                                                             model::ObjectUrl const& url) {
  auto const bucket = TRY(directory::open_bucket(directory_, user, url.bucket));
  auto const parts = TRY(directory::parts_of(url.object));
  auto const parent = TRY(directory::open_parent(bucket, parts, false));
  if (!parent.is_open()) return missing();
  // Not blocking: a pipe would wait for a writer.
  Descriptor file(
      ::openat(parent.get(), parts.back().c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status{};
  if (!file.is_open() || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return missing();
  }
  if (status.st_size == 0) return error(Fault::object_unreadable, "The object is empty.");
  return std::make_unique<FileObject>(std::move(file), status);
}

Result<std::unique_ptr<BytesWriter>>
DirectoryBuckets::create(BucketUser const& user, model::ObjectUrl const& url, NewObject object) {
  auto bucket = TRY(directory::open_bucket(directory_, user, url.bucket));
  auto parts = TRY(directory::parts_of(url.object));
  auto const parent = TRY(directory::open_parent(bucket, parts, false));
  struct stat status{};
  if (parent.is_open() &&
      ::fstatat(parent.get(), parts.back().c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
    return error(Fault::object_exists);
  }
  auto name = unfinished_name(url.object) + new_hex_id();
  Descriptor file(::openat(bucket.get(), name.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.is_open() && errno == EACCES) return error(Fault::bucket_refused);
  if (!file.is_open()) return io_failure("create a file", errno);
  return std::make_unique<FileWriter>(std::move(bucket), std::move(name), std::move(file),
                                      std::move(parts), std::move(object.last_look));
}

Result<> DirectoryBuckets::remove_unfinished(BucketUser const& user, model::ObjectUrl const& url,
                                             Time since) {
  auto const bucket = TRY(directory::open_bucket(directory_, user, url.bucket));
  for (auto const& name : files_of(bucket, unfinished_name(url.object), since)) {
    if (::unlinkat(bucket.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
      return io_failure("remove a file", errno);
    }
  }
  return {};
}

} // namespace vitrine::store
