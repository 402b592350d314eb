#include "net/on_pool.hpp"
#include "net/session.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <sys/sendfile.h>
#include <unistd.h>

namespace vitrine::net {
namespace {

/// One turn on the transfer pool: long enough to make the hop cheap, short enough for others to get
/// theirs.
constexpr std::uint64_t kSendfileBytes = 1U << 20U;

bool read_guarded(StoredBytes& bytes, std::uint64_t offset, std::span<std::byte> into) noexcept {
  try {
    return bytes.read(offset, into).has_value();
  } catch (...) { // short of memory: this answer ends, the others go on
    return false;
  }
}

} // namespace

/// A body that is read part by part: one is read on the transfer pool while the one before is sent.
struct Session::Reading {
  explicit Reading(DataRange const& range)
      : bytes(range.bytes()), offset(range.offset()), left(range.length()),
        part_bytes(std::min<std::uint64_t>(range.bytes().read_bytes_best(), range.length())),
        coming(std::make_unique_for_overwrite<std::byte[]>(part_bytes)) {
    if (left > part_bytes) going = std::make_unique_for_overwrite<std::byte[]>(part_bytes);
  }

  StoredBytes& bytes;
  std::uint64_t offset; ///< of what is read next
  std::uint64_t left;   ///< not read yet
  std::size_t const part_bytes;
  std::unique_ptr<std::byte[]> coming; ///< being read
  std::unique_ptr<std::byte[]> going;  ///< being sent
  std::size_t coming_bytes{0};
  bool got{false};
  bool in_flight{false};
  Gate read;
};

Task<bool> Session::send_data(DataRange const& range) {
  if (wire_.is_tls() || range.bytes().descriptor() < 0) co_return co_await send_read(range);
  co_return co_await send_from_file(range);
}

/// sendfile(2) on the transfer pool, since it blocks while the disk is read; the loop waits for
/// slow clients.
Task<bool> Session::send_from_file(DataRange const& range) {
  auto offset = static_cast<off_t>(range.offset());
  std::uint64_t left = range.length();
  while (left > 0 && !wire_.stopped()) {
    std::size_t const asked = std::min(left, kSendfileBytes);
    ssize_t sent = 0;
    int code = 0;
    auto work = [&] {
      sent = ::sendfile(wire_.descriptor(), range.bytes().descriptor(), &offset, asked);
      code = errno;
    };
    bool const ran = co_await on_pool(executor_, core_.transfer, work);
    if (!ran || sent == 0) co_return false; // 0: the file is shorter than promised
    if (sent < 0 && code != EAGAIN && code != EINTR) co_return false;
    if (sent > 0) {
      left -= static_cast<std::uint64_t>(sent);
      wire_.traffic().sent.fetch_add(static_cast<std::uint64_t>(sent), std::memory_order_relaxed);
    }
    if (left == 0 || sent == static_cast<ssize_t>(asked)) continue;
    wire_.arm_sending(core_.options.body_timeout);
    bool const ready = co_await wire_.writable();
    wire_.disarm();
    if (!ready) co_return false;
  }
  co_return left == 0;
}

/// Reads the next part; false when the pool's queue is full.
bool Session::start_reading(Reading& reading) {
  reading.coming_bytes = std::min<std::uint64_t>(reading.left, reading.part_bytes);
  auto const back = [&reading] { reading.read.open(); };
  auto job = [executor = executor_, &reading, back] {
    std::span<std::byte> const part(reading.coming.get(), reading.coming_bytes);
    reading.got = read_guarded(reading.bytes, reading.offset, part);
    asio::post(executor, back);
  };
  reading.in_flight = core_.transfer.submit(std::move(job));
  return reading.in_flight;
}

Task<bool> Session::send_read(DataRange const& range) {
  std::string_view const nothing;
  Reading reading(range);
  bool good = reading.left == 0 || start_reading(reading);
  while (good && reading.in_flight) {
    co_await reading.read.wait();
    reading.in_flight = false;
    good = reading.got && !wire_.stopped();
    if (!good) break;
    std::swap(reading.coming, reading.going);
    std::string_view const bytes(reinterpret_cast<char const*>(reading.going.get()),
                                 reading.coming_bytes);
    reading.offset += bytes.size();
    reading.left -= bytes.size();
    if (reading.left > 0) good = start_reading(reading);
    if (!good) break;
    good = co_await wire_.write(bytes, nothing, core_.options.body_timeout);
    wire_.disarm();
  }
  if (reading.in_flight) co_await reading.read.wait();
  co_return good;
}

} // namespace vitrine::net
