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
constexpr std::uint64_t kReadBytes = 256U << 10U;

} // namespace

Task<bool> Session::send_file(FileRange const& file) {
  if (wire_.is_tls()) co_return co_await send_file_tls(file);
  co_return co_await send_file_plain(file);
}

/// sendfile(2) on the transfer pool, since it blocks while the disk is read; the loop waits for
/// slow clients.
Task<bool> Session::send_file_plain(FileRange const& file) {
  auto offset = static_cast<off_t>(file.offset());
  std::uint64_t left = file.length();
  while (left > 0 && !wire_.stopped()) {
    std::size_t const asked = std::min(left, kSendfileBytes);
    ssize_t sent = 0;
    int code = 0;
    auto work = [&] {
      sent = ::sendfile(wire_.descriptor(), file.descriptor(), &offset, asked);
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

Task<bool> Session::send_file_tls(FileRange const& file) {
  std::string_view const nothing;
  auto const buffer = std::make_unique_for_overwrite<char[]>(kReadBytes);
  std::uint64_t offset = file.offset();
  std::uint64_t left = file.length();
  while (left > 0 && !wire_.stopped()) {
    ssize_t got = 0;
    auto work = [&] {
      got = ::pread(file.descriptor(), buffer.get(), std::min(left, kReadBytes),
                    static_cast<off_t>(offset));
    };
    bool const ran = co_await on_pool(executor_, core_.transfer, work);
    if (!ran || got <= 0) co_return false;
    std::string_view const bytes(buffer.get(), static_cast<std::size_t>(got));
    bool const written = co_await wire_.write(bytes, nothing, core_.options.body_timeout);
    wire_.disarm();
    if (!written) co_return false;
    offset += bytes.size();
    left -= bytes.size();
  }
  co_return left == 0;
}

} // namespace vitrine::net
