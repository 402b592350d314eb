// The rule of an upload: what was declared against what was found.
#include "formats/inspector.hpp"

#include <gtest/gtest.h>

namespace vitrine::formats {
namespace {

Finding found(Format format, std::optional<std::uint64_t> virtual_size = 1024) {
  return {.format = format,
          .size_bytes = 512,
          .virtual_size_bytes = virtual_size,
          .unsafe = {},
          .serves_plain = false};
}

std::string answer(Finding const& finding, std::string_view disk, std::string_view container,
                   Rules const& rules = {}) {
  auto const result = check(finding, disk, container, rules);
  return result ? result->disk_format : std::string(name_of(result.error().fault));
}

TEST(Check, every_disk_format_fits_itself) {
  for (auto const format :
       {Format::qcow2, Format::qcow, Format::qed, Format::vmdk, Format::vhd, Format::vhdx,
        Format::vdi, Format::ploop, Format::zvhd, Format::zvhd2, Format::iso}) {
    EXPECT_EQ(answer(found(format), name_of(format), "bare"), name_of(format));
    EXPECT_EQ(answer(found(format), "", ""), name_of(format));
    EXPECT_EQ(check(found(format), "", "bare")->virtual_size_bytes, 1024U);
    if (format == Format::ploop) continue; // has a kind without a header
    EXPECT_EQ(answer(found(Format::raw), name_of(format), "bare"), "format_mismatch");
  }
}

TEST(Check, plain_formats_take_plain_bytes_only) {
  for (auto const* declared : {"raw", "ami", "ari", "aki"}) {
    EXPECT_EQ(answer(found(Format::raw), declared, "bare"), declared);
    EXPECT_EQ(answer(found(Format::luks), declared, declared), declared);
    for (auto const format :
         {Format::qcow2, Format::iso, Format::gzip, Format::tar, Format::html}) {
      EXPECT_EQ(answer(found(format), declared, "bare"), "format_mismatch");
      EXPECT_EQ(answer(found(format), declared, "bare", {.allow_raw_mismatch = true}), declared);
    }
  }
  auto hybrid = found(Format::iso);
  hybrid.serves_plain = true;
  EXPECT_EQ(answer(hybrid, "raw", "bare"), "raw");
  EXPECT_EQ(answer(hybrid, "iso", "bare"), "iso");
  EXPECT_EQ(answer(hybrid, "", "bare"), "iso");
  // As a plain disk it is as large as the file, whatever its headers tell.
  auto const taken = check(found(Format::qcow2), "raw", "bare", {.allow_raw_mismatch = true});
  EXPECT_EQ(taken->virtual_size_bytes, 512U);
}

TEST(Check, allowing_raw_allows_nothing_else) {
  EXPECT_EQ(answer(found(Format::raw), "qcow2", "bare", {.allow_raw_mismatch = true}),
            "format_mismatch");
  auto unsafe = found(Format::qcow2, std::nullopt);
  unsafe.unsafe = "names a backing file";
  EXPECT_EQ(answer(unsafe, "raw", "bare", {.allow_raw_mismatch = true}), "format_unsafe");
  EXPECT_EQ(answer(unsafe, "qcow2", "docker"), "format_unsafe");
}

TEST(Check, ploop_without_header) {
  EXPECT_EQ(answer(found(Format::raw), "ploop", "bare"), "ploop");
  EXPECT_EQ(answer(found(Format::qcow2), "ploop", "bare", {.allow_raw_mismatch = true}),
            "format_mismatch");
}

TEST(Check, containers) {
  EXPECT_EQ(answer(found(Format::ova), "vmdk", "ova"), "vmdk");
  EXPECT_EQ(answer(found(Format::tar), "vmdk", "ova"), "format_mismatch");
  EXPECT_EQ(answer(found(Format::ova), "vmdk", "ovf"), "vmdk");
  EXPECT_EQ(answer(found(Format::vmdk), "vmdk", "ova"), "format_mismatch");
  EXPECT_EQ(answer(found(Format::gzip), "raw", "compressed"), "raw");
  EXPECT_EQ(answer(found(Format::qcow2), "qcow2", "compressed"), "format_mismatch");
  EXPECT_EQ(answer(found(Format::gzip), "", "compressed"), "format_mismatch");
  EXPECT_EQ(answer(found(Format::tar), "raw", "docker"), "raw");
  EXPECT_EQ(answer(found(Format::gzip), "vhd", "ovf"), "vhd");
  EXPECT_EQ(answer(found(Format::qcow2), "raw", "docker"), "format_mismatch");
  EXPECT_EQ(check(found(Format::gzip), "raw", "compressed")->virtual_size_bytes, std::nullopt);
}

TEST(Check, the_text_names_both) {
  EXPECT_EQ(check(found(Format::gzip), "qcow2", "bare").error().detail,
            "declared qcow2 in bare, found gzip, compressed");
  EXPECT_EQ(check(found(Format::raw), "qcow2", "").error().detail,
            "declared qcow2 in bare, found raw");
  EXPECT_EQ(check(found(Format::xml), "", "bare").error().detail,
            "declared no format in bare, found xml, a document");
  EXPECT_EQ(
      check(found(Format::tar), "vmdk", "ova").error().detail,
      "declared vmdk in ova, found tar, an archive that does not begin with an OVF descriptor");
  auto unsafe = found(Format::qcow2, std::nullopt);
  unsafe.unsafe = "names a backing file";
  EXPECT_EQ(check(unsafe, "raw", "bare").error().detail,
            "declared raw in bare, found qcow2, which names a backing file");
}

} // namespace
} // namespace vitrine::formats
