#include "net/on_pool.hpp"
#include "net/session.hpp"

#include <algorithm>
#include <cerrno>
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

Task<bool> Session::send_read(DataRange const& range) {
  std::string_view const nothing;
  std::size_t const read_bytes =
      std::min<std::uint64_t>(range.bytes().read_bytes_best(), range.length());
  auto const buffer = std::make_unique_for_overwrite<std::byte[]>(read_bytes);
  std::uint64_t offset = range.offset();
  std::uint64_t left = range.length();
  while (left > 0 && !wire_.stopped()) {
    std::span<std::byte> const part(buffer.get(), std::min<std::uint64_t>(left, read_bytes));
    bool got = false;
    auto work = [&] { got = read_guarded(range.bytes(), offset, part); };
    bool const ran = co_await on_pool(executor_, core_.transfer, work);
    if (!ran || !got) co_return false;
    std::string_view const bytes(reinterpret_cast<char const*>(part.data()), part.size());
    bool const written = co_await wire_.write(bytes, nothing, core_.options.body_timeout);
    wire_.disarm();
    if (!written) co_return false;
    offset += bytes.size();
    left -= bytes.size();
  }
  co_return left == 0;
}

} // namespace vitrine::net
