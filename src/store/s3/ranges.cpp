#include "store/s3/ranges.hpp"

#include <cstring>
#include <fmt/format.h>

namespace vitrine::store::s3 {
namespace {

Error unreadable() {
  return error(Fault::unavailable, "The object store answers what cannot be read.");
}

} // namespace

std::vector<net::Header> range_headers(std::uint64_t offset, std::uint64_t count,
                                       std::string_view etag) {
  std::vector<net::Header> headers{
      {"Range", fmt::format("bytes={}-{}", offset, offset + count - 1)}};
  if (!etag.empty()) headers.push_back({"If-Match", std::string(etag)});
  return headers;
}

Result<> read_range(Calls const& calls, std::string_view key, std::string_view etag,
                    std::uint64_t offset, std::span<std::byte> into) {
  if (into.empty()) return {};
  std::size_t filled = 0;
  auto const take = [&](net::client::Response const& head,
                        std::span<std::byte const> bytes) -> Result<> {
    if (head.status != 206 || bytes.size() > into.size() - filled) return unreadable();
    std::memcpy(into.data() + filled, bytes.data(), bytes.size());
    filled += bytes.size();
    return {};
  };
  TRY(calls.send({.key = key,
                  .headers = range_headers(offset, into.size(), etag),
                  .download = take,
                  .begin = [&]() -> Result<> {
                    filled = 0;
                    return {};
                  }}));
  return filled == into.size() ? Result<>() : unreadable();
}

} // namespace vitrine::store::s3
