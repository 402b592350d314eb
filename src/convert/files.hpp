// Files of a conversion: written as a sink, read as stored bytes.
#pragma once

#include "base/stored_bytes.hpp"
#include "formats/byte_sink.hpp"

#include <memory>
#include <string>

namespace vitrine::convert {

/// A new file, in which zeros are holes. Errors: Fault::store_full, Fault::unavailable.
class FileSink final : public formats::ByteSink {
public:
  static Result<std::unique_ptr<FileSink>> create(std::string const& path);
  ~FileSink() override;

  Result<> write(formats::Bytes bytes) override;
  Result<> zeros(std::uint64_t count) override;
  /// Gives the file its length; once, after the last byte.
  Result<> finish();

private:
  explicit FileSink(int descriptor) : descriptor_(descriptor) {}

  int const descriptor_;
  std::uint64_t position_{0};
};

/// The bytes of a file, which keep `kept` alive. Error: Fault::unavailable.
Result<std::unique_ptr<StoredBytes>> open_file(std::string const& path,
                                               std::shared_ptr<void> kept = {});

} // namespace vitrine::convert
