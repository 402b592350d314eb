#include "api/kit/spools.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace vitrine::api {
namespace {

/// A disk that spools filled would stop the database beside them: this part of it stays free, of a
/// large one so many bytes.
constexpr std::uint64_t kSparedPart = 20;
constexpr std::uint64_t kSparedBytesMax = std::uint64_t{4} << 30U;

// Each keeps a block of memory for as long as its client likes, and nobody has proven who that is.
constexpr std::size_t kSpoolsMax = 64;
constexpr std::size_t kSpoolsOfOneMax = 16;

Error too_much() {
  return error(Fault::unavailable, "Too much signed image data is under way of which no header "
                                   "tells the SHA-256; try again.");
}

Error disk_full() {
  return error(Fault::store_full, "There is no room on the disk for a body that must be kept "
                                  "until its signature can be checked.");
}

Error failed(std::string_view what) {
  if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) return disk_full();
  return error(Fault::unavailable,
               fmt::format("cannot {} a spool: {}", what, std::strerror(errno)));
}

// Not every file system makes files without a name.
Result<int> make_file(std::string const& directory) {
  int descriptor = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor >= 0) return descriptor;
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) return failed("make");
  auto path = directory + "/spool-XXXXXX";
  descriptor = ::mkostemp(path.data(), O_CLOEXEC);
  if (descriptor < 0) return failed("make");
  ::unlink(path.c_str());
  return descriptor;
}

template <class Number>
struct Share {
  Number of_holder;
  Number of_key; ///< by all its holders
};

/// Whether one holder may take `more`: then at least as much as it has is left for all others, and
/// its key has no more than the half.
template <class Number>
bool is_fair(Share<Number> held, Number more, Number taken, Number most) {
  if (more > most - taken || held.of_key + more > most / 2) return false;
  return held.of_holder + more <= most - taken - more;
}

template <class Map, class Key>
auto taken_in(Map const& all, Key const& key) {
  auto const found = all.find(key);
  return found == all.end() ? typename Map::mapped_type{} : found->second;
}

bool leaves_the_rest(int descriptor) {
  struct statvfs disk{};
  if (::fstatvfs(descriptor, &disk) != 0) return true; // then writing tells
  auto const spared = std::min(disk.f_blocks * disk.f_frsize / kSparedPart, kSparedBytesMax);
  return disk.f_bavail * disk.f_frsize >= spared;
}

} // namespace

Spool::~Spool() {
  ::close(descriptor_);
  spools_.leave(holder_, size_bytes_);
}

Result<> Spool::write(std::span<std::byte const> bytes) {
  TRY(spools_.check_size(size_bytes_ + bytes.size()));
  TRY(spools_.take(holder_, bytes.size()));
  auto const begin = size_bytes_;
  size_bytes_ += bytes.size();
  if (!leaves_the_rest(descriptor_)) return disk_full();
  for (std::size_t done = 0; done < bytes.size();) {
    auto const rest = bytes.subspan(done);
    auto const at = static_cast<off_t>(begin + done);
    auto const count = ::pwrite(descriptor_, rest.data(), rest.size(), at);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed("write");
    done += static_cast<std::size_t>(count);
  }
  return {};
}

Result<std::size_t> Spool::read(std::span<std::byte> into) {
  std::size_t done = 0;
  while (done < into.size() && read_bytes_ < size_bytes_) {
    auto const rest = into.subspan(done);
    auto const count =
        ::pread(descriptor_, rest.data(), rest.size(), static_cast<off_t>(read_bytes_));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed("read");
    if (count == 0) return error(Fault::unavailable, "a spool became shorter");
    done += static_cast<std::size_t>(count);
    read_bytes_ += static_cast<std::uint64_t>(count);
  }
  return done;
}

Result<std::unique_ptr<Spools>> Spools::open(Options options) {
  std::error_code failure;
  std::filesystem::create_directories(options.directory, failure);
  auto const refused = [&](std::string_view why) {
    return error(Fault::unavailable,
                 fmt::format("spool.directory: {}: {}", options.directory, why));
  };
  if (failure) return refused(failure.message());
  auto const probe = make_file(options.directory);
  if (!probe) return refused(probe.error().detail);
  ::close(*probe);
  return std::unique_ptr<Spools>(new Spools(std::move(options)));
}

Result<std::unique_ptr<Spool>> Spools::begin(SpoolHolder const& holder,
                                             std::optional<std::uint64_t> length) {
  TRY(check_size(length.value_or(0)));
  TRY(enter(holder));
  auto const descriptor = make_file(options_.directory);
  if (!descriptor) {
    leave(holder, 0);
    return Error(descriptor.error());
  }
  return std::unique_ptr<Spool>(new Spool(*this, holder, *descriptor));
}

Result<> Spools::check_size(std::uint64_t bytes) const {
  if (bytes <= options_.size_bytes_max) return {};
  return error(Fault::too_large,
               fmt::format("Signed image data is at most {} bytes unless the header "
                           "X-Sdk-Content-Sha256 tells its SHA-256.",
                           options_.size_bytes_max));
}

Result<> Spools::enter(SpoolHolder const& holder) {
  std::scoped_lock const lock(mutex_);
  Share const held{taken_in(taken_by_, holder).count, taken_in(taken_with_, holder.key).count};
  if (held.of_holder >= kSpoolsOfOneMax) return too_much();
  if (!is_fair(held, std::size_t{1}, taken_.count, kSpoolsMax)) return too_much();
  for (auto* const taken : {&taken_, &taken_by_[holder], &taken_with_[holder.key]})
    ++taken->count;
  return {};
}

Result<> Spools::take(SpoolHolder const& holder, std::uint64_t bytes) {
  std::scoped_lock const lock(mutex_);
  auto& by_holder = taken_by_.at(holder);
  auto& with_key = taken_with_.at(holder.key);
  Share const held{by_holder.bytes, with_key.bytes};
  if (!is_fair(held, bytes, taken_.bytes, options_.total_bytes_max)) return too_much();
  for (auto* const taken : {&taken_, &by_holder, &with_key})
    taken->bytes += bytes;
  return {};
}

Spools::Taken Spools::taken() const {
  std::scoped_lock const lock(mutex_);
  return taken_;
}

void Spools::leave(SpoolHolder const& holder, std::uint64_t bytes) {
  std::scoped_lock const lock(mutex_);
  auto const by_holder = taken_by_.find(holder);
  auto const with_key = taken_with_.find(holder.key);
  for (auto* const taken : {&taken_, &by_holder->second, &with_key->second}) {
    --taken->count;
    taken->bytes -= bytes;
  }
  if (by_holder->second.count == 0) taken_by_.erase(by_holder);
  if (with_key->second.count == 0) taken_with_.erase(with_key);
}

} // namespace vitrine::api
