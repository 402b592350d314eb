#include "store/blobs/filesystem/filesystem_blobs.hpp"

#include "ops/log.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <future>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace vitrine::store {
namespace {

namespace fs = std::filesystem;

// Direct writes need memory, offset and length in multiples of the device's block; no device wants
// more.
constexpr std::uint64_t kDirectBytes = 4096;
// Bytes written before they are flushed beside the writing, so that little is left for the end.
constexpr std::uint64_t kFlushBytes = 64U << 20U;
constexpr std::size_t kReadBytes = 256U << 10U;
constexpr std::string_view kStaging = "staging";

Error io_failure(std::string_view what, int code) {
  if (code == ENOSPC || code == EDQUOT) return error(Fault::store_full, "no space left");
  return error(Fault::unavailable,
               "the image store failed to " + std::string(what) + ": " + std::strerror(code));
}

Result<> sync_directory(fs::path const& directory) {
  int const descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return io_failure("open its directory", errno);
  int const synced = ::fsync(descriptor);
  int const code = errno;
  ::close(descriptor);
  if (synced != 0) return io_failure("sync its directory", code);
  return {};
}

/// `mark` is that of a place which had one; empty for another.
Result<> require(fs::path const& mark) {
  if (mark.empty() || ::access(mark.c_str(), F_OK) == 0) return {};
  auto failure = error(Fault::unavailable, "the image store has no mark; is its volume mounted?");
  ops::log_warning("store.failed",
                   {{"directory", mark.parent_path().string()}, {"detail", failure.detail}});
  return failure;
}

bool is_aligned(std::uint64_t number) { return number % kDirectBytes == 0; }

/// Writes past the page cache where the bytes allow it: copying image data into the cache and
/// flushing it from there costs several times the processor time of the write itself, which digests
/// of the upload need.
class FileWriter final : public BlobWriter {
public:
  FileWriter(int descriptor, bool direct, fs::path staging, fs::path place, fs::path mark)
      : descriptor_(descriptor), can_be_direct_(direct), direct_(direct), path_(std::move(staging)),
        place_(std::move(place)), mark_(std::move(mark)) {}

  ~FileWriter() override {
    if (flushing_.valid()) flushing_.wait();
    ::close(descriptor_);
    if (!committed_) ::unlink(path_.c_str());
  }

  Result<> write(std::span<std::byte const> bytes) override {
    auto const address = reinterpret_cast<std::uintptr_t>(bytes.data());
    if (can_be_direct_ && is_aligned(size_bytes_) && is_aligned(address)) {
      auto const whole = bytes.size() - bytes.size() % kDirectBytes;
      TRY(append(bytes.first(whole), true));
      bytes = bytes.subspan(whole);
    }
    TRY(append(bytes, false));
    return flush_beside();
  }

  Result<> commit() override {
    TRY(flushed());
    if (::fsync(descriptor_) != 0) return io_failure("sync", errno);
    auto const directory = place_.parent_path();
    TRY(require(mark_));
    bool const is_new = ::mkdir(directory.c_str(), 0700) == 0;
    if (!is_new && errno != EEXIST) return io_failure("make a directory", errno);
    if (::rename(path_.c_str(), place_.c_str()) != 0) return io_failure("rename", errno);
    path_ = place_;
    TRY(sync_directory(directory));
    if (is_new) TRY(sync_directory(directory.parent_path()));
    committed_ = true;
    return {};
  }

private:
  Result<> append(std::span<std::byte const> bytes, bool direct) {
    while (!bytes.empty()) {
      if (direct != direct_) TRY(set_direct(direct));
      auto const written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0) {
        if (errno == EINTR) continue;
        if (errno == EINVAL && direct) { // the file system takes the flag but not the write
          can_be_direct_ = direct = false;
          continue;
        }
        return io_failure("write", errno);
      }
      size_bytes_ += static_cast<std::uint64_t>(written);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
      // A write that was cut short, as by a full disk, may end anywhere.
      if (!is_aligned(size_bytes_)) direct = false;
    }
    return {};
  }

  /// Starts a flush of what was written, unless one is under way; a thread more only then.
  Result<> flush_beside() {
    if (size_bytes_ - flushed_bytes_ < kFlushBytes) return {};
    if (flushing_.valid() &&
        flushing_.wait_for(std::chrono::seconds(0)) == std::future_status::timeout) {
      return {};
    }
    TRY(flushed());
    flushed_bytes_ = size_bytes_;
    flushing_ = std::async(std::launch::async | std::launch::deferred,
                           [file = descriptor_] { return ::fdatasync(file) == 0 ? 0 : errno; });
    return {};
  }

  /// Waits for the flush under way. The kernel tells of a failure once, so it must not be lost.
  Result<> flushed() {
    int const code = flushing_.valid() ? flushing_.get() : 0;
    if (code != 0) return io_failure("sync", code);
    return {};
  }

  Result<> set_direct(bool direct) {
    if (::fcntl(descriptor_, F_SETFL, direct ? O_DIRECT : 0) != 0) {
      return io_failure("switch direct writing", errno);
    }
    direct_ = direct;
    return {};
  }

  int const descriptor_;
  bool can_be_direct_;
  bool direct_;   ///< the flag of the descriptor
  fs::path path_; ///< where the bytes are now
  fs::path const place_;
  fs::path const mark_;
  std::uint64_t size_bytes_{0};
  std::uint64_t flushed_bytes_{0}; ///< size when the last flush began
  std::future<int> flushing_;      ///< the errno of that flush
  bool committed_{false};
};

class FileBytes final : public StoredBytes {
public:
  FileBytes(int descriptor, std::uint64_t size_bytes)
      : descriptor_(descriptor), size_bytes_(size_bytes) {}
  FileBytes(FileBytes const&) = delete;
  FileBytes& operator=(FileBytes const&) = delete;
  ~FileBytes() override { ::close(descriptor_); }

  [[nodiscard]] std::uint64_t size_bytes() const noexcept override { return size_bytes_; }
  [[nodiscard]] int descriptor() const noexcept override { return descriptor_; }
  [[nodiscard]] std::size_t read_bytes_best() const noexcept override { return kReadBytes; }

  Result<> read(std::uint64_t offset, std::span<std::byte> into) override {
    while (!into.empty()) {
      auto const got = ::pread(descriptor_, into.data(), into.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return io_failure("read", errno);
      if (got == 0) return error(Fault::unavailable, "a file of the image store has shrunk");
      offset += static_cast<std::uint64_t>(got);
      into = into.subspan(static_cast<std::size_t>(got));
    }
    return {};
  }

private:
  int const descriptor_;
  std::uint64_t const size_bytes_;
};

Time changed_at(struct stat const& status) {
  return Time{status.st_mtim.tv_sec * kMicrosecondsPerSecond + status.st_mtim.tv_nsec / 1000};
}

void list_directory(fs::path const& directory, std::function<void(StoredBlob const&)> const& each,
                    std::error_code& failed) {
  bool const committed = directory.filename() != kStaging;
  for (auto it = fs::directory_iterator(directory, failed);
       !failed && it != fs::directory_iterator(); it.increment(failed)) {
    auto name = it->path().filename().string();
    struct stat status{};
    if (!is_job_id(name)) continue;                         // ids of blobs have that form, too
    if (::stat(it->path().c_str(), &status) != 0) continue; // removed just now
    each({.id = {std::move(name)},
          .size_bytes = static_cast<std::uint64_t>(status.st_size),
          .changed_at = changed_at(status),
          .committed = committed});
  }
}

} // namespace

Result<bool> FilesystemBlobs::is_made(fs::path const& directory) {
  std::error_code failed;
  if (fs::exists(directory / kName, failed)) return true;
  bool has_blob = false;
  auto it = fs::directory_iterator(directory, failed);
  if (failed == std::errc::no_such_file_or_directory) return false;
  for (; !failed && !has_blob && it != fs::directory_iterator(); it.increment(failed)) {
    if (it->path().filename() == kStaging || !it->is_directory(failed)) continue;
    list_directory(it->path(), [&](StoredBlob const&) { has_blob = true; }, failed);
  }
  if (!failed) return has_blob;
  return error(Fault::unavailable,
               "cannot look into " + directory.string() + ": " + failed.message());
}

Result<std::unique_ptr<FilesystemBlobs>> FilesystemBlobs::open(fs::path directory) {
  std::error_code failed;
  fs::create_directories(directory / kStaging, failed);
  if (failed) {
    return error(Fault::unavailable,
                 "cannot create " + directory.string() + ": " + failed.message());
  }
  bool const is_marked = fs::exists(directory / kName, failed);
  return std::unique_ptr<FilesystemBlobs>(new FilesystemBlobs(std::move(directory), is_marked));
}

fs::path FilesystemBlobs::mark_path() const { return is_marked_ ? directory_ / kName : fs::path(); }

Result<std::optional<std::string>> FilesystemBlobs::mark() {
  constexpr std::size_t kMarkBytesMax = 256; // an id, and what an editor leaves around it
  int const descriptor = ::open((directory_ / kName).c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 && errno == ENOENT) return std::optional<std::string>();
  if (descriptor < 0) return io_failure("open its mark", errno);
  std::string text(kMarkBytesMax, '\0');
  auto const count = ::read(descriptor, text.data(), text.size());
  int const code = errno;
  ::close(descriptor);
  if (count < 0) return io_failure("read its mark", code);
  text.resize(static_cast<std::size_t>(count));
  return std::optional(std::move(text));
}

Result<> FilesystemBlobs::set_mark(std::string_view text) {
  auto const half = directory_ / kStaging / kName;
  int const descriptor = ::open(half.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return io_failure("create its mark", errno);
  bool const written =
      ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(descriptor) == 0;
  int const code = errno;
  ::close(descriptor);
  if (!written) return io_failure("write its mark", code);
  if (::rename(half.c_str(), (directory_ / kName).c_str()) != 0) return io_failure("rename", errno);
  TRY(sync_directory(directory_));
  is_marked_ = true;
  return {};
}

fs::path FilesystemBlobs::place(BlobId const& id) const {
  return directory_ / id.text.substr(0, 2) / id.text;
}

fs::path FilesystemBlobs::staging(BlobId const& id) const {
  return directory_ / kStaging / id.text;
}

Result<std::unique_ptr<BlobWriter>>
FilesystemBlobs::create(BlobId const& id, std::optional<std::uint64_t> /*size_bytes*/) {
  auto const mark = mark_path();
  TRY(require(mark));
  auto path = staging(id);
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
  bool direct = true;
  int descriptor = ::open(path.c_str(), kFlags | O_DIRECT, 0600);
  if (descriptor < 0 && errno == EINVAL) { // this file system has no direct writes
    direct = false;
    ::unlink(path.c_str()); // the failed open may have created it
    descriptor = ::open(path.c_str(), kFlags, 0600);
  }
  if (descriptor < 0) return io_failure("create a file", errno);
  return std::make_unique<FileWriter>(descriptor, direct, std::move(path), place(id), mark);
}

Result<std::unique_ptr<StoredBytes>> FilesystemBlobs::open(BlobId const& id) {
  int const descriptor = ::open(place(id).c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    if (errno != ENOENT) return io_failure("open", errno);
    TRY(require(mark_path()));
    return error(Fault::not_found, "the data is missing in the image store");
  }
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) {
    int const code = errno;
    ::close(descriptor);
    return io_failure("stat", code);
  }
  return std::make_unique<FileBytes>(descriptor, static_cast<std::uint64_t>(status.st_size));
}

Result<> FilesystemBlobs::remove(BlobId const& id) {
  TRY(require(mark_path()));
  for (auto const& path : {staging(id), place(id)}) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return io_failure("remove", errno);
  }
  return {};
}

Result<> FilesystemBlobs::list(std::function<void(StoredBlob const&)> const& each) {
  TRY(require(mark_path()));
  std::error_code failed;
  for (auto it = fs::directory_iterator(directory_, failed);
       !failed && it != fs::directory_iterator(); it.increment(failed)) {
    if (it->is_directory(failed)) list_directory(it->path(), each, failed);
  }
  if (failed) return io_failure("list", failed.value());
  return {};
}

Result<> FilesystemBlobs::look() {
  TRY(require(mark_path()));
  if (::access((directory_ / kStaging).c_str(), R_OK | W_OK | X_OK) == 0) return {};
  return io_failure("open its directory", errno);
}

} // namespace vitrine::store
