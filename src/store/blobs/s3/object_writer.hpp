// An object on its way in: at once when it fits one part, else in parts of one size.
#pragma once

#include "store/blobs/blobs.hpp"
#include "store/blobs/s3/calls.hpp"

#include <future>
#include <string>
#include <vector>

namespace vitrine::store::s3 {

/// Begins a multipart upload; its id.
Result<std::string> begin_parts(Calls& calls, std::string_view key);
/// Ends one without an object; success when there is none.
Result<> drop_parts(Calls& calls, std::string_view key, std::string_view upload, int attempts);

/// Holds two parts at most: one is sent while the next one fills.
class ObjectWriter final : public BlobWriter {
public:
  ObjectWriter(Calls& calls, std::string key, std::size_t part_bytes)
      : calls_(calls), key_(std::move(key)), part_bytes_(part_bytes) {}
  ~ObjectWriter() override;

  Result<> write(std::span<std::byte const> bytes) override;
  Result<> commit() override;

private:
  Result<> start_part();
  Result<> sent();
  Result<> complete();
  [[nodiscard]] Result<std::string> send_part(std::size_t number) const;

  Calls& calls_;
  std::string const key_;
  std::size_t const part_bytes_;
  std::string filling_;
  std::string sending_; ///< not touched while `under_way_` is valid
  std::uint64_t size_bytes_{0};
  std::string upload_;             ///< id of the multipart upload, empty before the first part
  std::vector<std::string> etags_; ///< of the parts sent
  std::future<Result<std::string>> under_way_;
  bool committed_{false};
};

} // namespace vitrine::store::s3
