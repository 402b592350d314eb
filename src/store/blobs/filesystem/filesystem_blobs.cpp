#include "store/blobs/filesystem/filesystem_blobs.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace vitrine::store {
namespace {

namespace fs = std::filesystem;

// Bytes after which the kernel is asked to start writing, so that the final fsync finds little to do.
constexpr std::uint64_t kWriteBehindBytes = 8U << 20U;

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

class FileWriter final : public BlobWriter {
public:
  FileWriter(int descriptor, fs::path staging, fs::path place)
      : descriptor_(descriptor), staging_(std::move(staging)), place_(std::move(place)) {}

  ~FileWriter() override {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!committed_) ::unlink(staging_.c_str());
  }

  Result<> write(std::span<std::byte const> bytes) override {
    while (!bytes.empty()) {
      auto const written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0) {
        if (errno == EINTR) continue;
        return io_failure("write", errno);
      }
      size_bytes_ += static_cast<std::uint64_t>(written);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    if (size_bytes_ - behind_bytes_ >= kWriteBehindBytes) {
      ::sync_file_range(descriptor_, static_cast<off_t>(behind_bytes_),
                        static_cast<off_t>(size_bytes_ - behind_bytes_), SYNC_FILE_RANGE_WRITE);
      behind_bytes_ = size_bytes_;
    }
    return {};
  }

  Result<> commit() override {
    if (::fsync(descriptor_) != 0) return io_failure("sync", errno);
    if (::mkdir(place_.parent_path().c_str(), 0700) != 0 && errno != EEXIST) {
      return io_failure("make a directory", errno);
    }
    if (::rename(staging_.c_str(), place_.c_str()) != 0) return io_failure("rename", errno);
    committed_ = true;
    TRY(sync_directory(place_.parent_path()));
    return sync_directory(place_.parent_path().parent_path());
  }

private:
  int descriptor_;
  fs::path const staging_;
  fs::path const place_;
  std::uint64_t size_bytes_{0};
  std::uint64_t behind_bytes_{0};
  bool committed_{false};
};

void list_directory(fs::path const& directory, std::function<void(BlobId const&)> const& each,
                    std::error_code& failed) {
  for (auto it = fs::directory_iterator(directory, failed);
       !failed && it != fs::directory_iterator(); it.increment(failed)) {
    auto name = it->path().filename().string();
    if (is_job_id(name)) each(BlobId{std::move(name)}); // blob ids have the form of job ids
  }
}

} // namespace

Result<std::unique_ptr<FilesystemBlobs>> FilesystemBlobs::open(fs::path directory) {
  std::error_code failed;
  fs::create_directories(directory / "staging", failed);
  if (failed) {
    return error(Fault::unavailable,
                 "cannot create " + directory.string() + ": " + failed.message());
  }
  return std::unique_ptr<FilesystemBlobs>(new FilesystemBlobs(std::move(directory)));
}

fs::path FilesystemBlobs::place(BlobId const& id) const {
  return directory_ / id.text.substr(0, 2) / id.text;
}

fs::path FilesystemBlobs::staging(BlobId const& id) const {
  return directory_ / "staging" / id.text;
}

Result<std::unique_ptr<BlobWriter>> FilesystemBlobs::create(BlobId const& id) {
  auto path = staging(id);
  int const descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return io_failure("create a file", errno);
  return std::make_unique<FileWriter>(descriptor, std::move(path), place(id));
}

Result<OpenBlob> FilesystemBlobs::open(BlobId const& id) {
  int const descriptor = ::open(place(id).c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    if (errno == ENOENT) return error(Fault::not_found, "the data is missing in the image store");
    return io_failure("open", errno);
  }
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) {
    int const code = errno;
    ::close(descriptor);
    return io_failure("stat", code);
  }
  return OpenBlob{descriptor, static_cast<std::uint64_t>(status.st_size)};
}

Result<> FilesystemBlobs::remove(BlobId const& id) {
  for (auto const& path : {staging(id), place(id)}) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return io_failure("remove", errno);
  }
  return {};
}

Result<> FilesystemBlobs::list(std::function<void(BlobId const&)> const& each) {
  std::error_code failed;
  for (auto it = fs::directory_iterator(directory_, failed);
       !failed && it != fs::directory_iterator(); it.increment(failed)) {
    if (it->is_directory(failed)) list_directory(it->path(), each, failed);
  }
  if (failed) return io_failure("list", failed.value());
  return {};
}

} // namespace vitrine::store
