// An object that is read from a bucket; for the files of this folder only.
#pragma once

#include "store/buckets/buckets.hpp"
#include "store/s3/calls.hpp"

#include <string>
#include <utility>

namespace vitrine::store::s3 {

class S3Object final : public BucketObject {
public:
  S3Object(Calls calls, std::string key, ObjectInfo info)
      : calls_(std::move(calls)), key_(std::move(key)), info_(std::move(info)) {}

  [[nodiscard]] ObjectInfo const& info() const noexcept override { return info_; }
  [[nodiscard]] std::uint64_t size_bytes() const noexcept override { return info_.size_bytes; }
  [[nodiscard]] std::size_t read_bytes_best() const noexcept override;
  Result<> read(std::uint64_t offset, std::span<std::byte> into) override;
  Result<> stream(std::uint64_t offset, std::uint64_t count, Room const& room,
                  Take const& take) override;

private:
  class Progress;
  Result<> stream_on(Progress& progress) const;
  [[nodiscard]] bool is_same(net::client::Response const& head) const;

  Calls const calls_;
  std::string const key_;
  ObjectInfo const info_;
};

} // namespace vitrine::store::s3
