// What an OVA says of its disks. The input is an archive, and a descriptor, which is also put into
// an honest archive: checksums of headers hide what lies behind them.
#include "formats/ova.hpp"
#include "formats/ovf.hpp"
#include "formats/test_image.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace {

using namespace vitrine;
using namespace vitrine::formats;

class Memory final : public StoredBytes {
public:
  explicit Memory(Bytes bytes) : bytes_(bytes) {}
  [[nodiscard]] std::uint64_t size_bytes() const noexcept override { return bytes_.size(); }
  [[nodiscard]] std::size_t read_bytes_best() const noexcept override { return 1; }
  Result<> read(std::uint64_t offset, std::span<std::byte> into) override {
    CHECK(lies_within(offset, into.size(), bytes_.size()));
    if (!into.empty()) std::memcpy(into.data(), bytes_.data() + offset, into.size());
    return {};
  }

private:
  Bytes bytes_;
};

bool is_refusal(Error const& failure) {
  return failure.fault == Fault::format_unsafe || failure.fault == Fault::format_mismatch;
}

void try_archive(Bytes bytes) {
  Memory memory(bytes);
  auto const disks = ova_disks(memory);
  if (!disks) {
    CHECK(is_refusal(disks.error()));
    return;
  }
  CHECK(!disks->empty());
  std::uint64_t sum = 0;
  for (auto const& disk : *disks) {
    CHECK(disk.size_bytes > 0 && lies_within(disk.offset, disk.size_bytes, bytes.size()));
    sum += disk.size_bytes;
  }
  CHECK(sum <= bytes.size()); // no byte belongs to two
}

void try_descriptor(Bytes bytes) {
  auto const disks = ovf_disks(characters(bytes));
  if (!disks) CHECK(is_refusal(disks.error()));
  testing_images::Image archive;
  add_member(archive, "vm.ovf", bytes);
  for (auto const* name : {"disk1.vmdk", "disk2.vmdk"})
    add_member(archive, name, bytes.first(std::min<std::size_t>(bytes.size(), 600)));
  try_archive(archive.bytes());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const bytes = std::as_bytes(std::span(data, size));
  try_archive(bytes);
  try_descriptor(bytes);
  return 0;
}
