// Conversions by the real qemu-img in the sandboxes that work here.
#include "convert/converter.hpp"
#include "convert/files.hpp"
#include "formats/reader.hpp"

#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <unistd.h>

namespace vitrine::convert {
namespace {

namespace fs = std::filesystem;
using formats::Format;

constexpr std::string_view kQemu = "/usr/bin/qemu-img";
formats::Progress const kOnward = [](int) -> Result<> { return {}; };

int shell(std::string const& command) {
  return std::system((command + " >/dev/null 2>&1").c_str());
}

std::string qemu_name(Format format) {
  return format == Format::vhd ? "vpc" : std::string(formats::name_of(format));
}

class ConverterTest : public testing::TestWithParam<Sandbox> {
protected:
  void SetUp() override {
    auto name = (fs::temp_directory_path() / "convert-test-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    home_ = name;
    ASSERT_EQ(::access(kQemu.data(), X_OK), 0) << "qemu-utils is not installed";
    if (!works(GetParam())) GTEST_SKIP() << "this sandbox does not work here";
  }
  void TearDown() override { fs::remove_all(home_); }

  [[nodiscard]] std::string at(std::string_view name) const { return home_ / name; }

  Options options() {
    return {.directory = at("work"),
            .qemu_img = std::string(kQemu),
            .time = std::chrono::seconds(60),
            .memory_bytes = std::uint64_t{1} << 30U,
            .disk_bytes_max = std::uint64_t{1} << 40U,
            .sandbox = GetParam()};
  }
  std::unique_ptr<Converter> open() { return std::move(Converter::open(options()).value()); }

  /// 5 MiB and a sector, with noise at two places.
  std::string plain_disk() {
    auto const path = at("disk.raw");
    std::ofstream file(path, std::ios::binary);
    std::mt19937 random(7);
    for (auto const place : {0, 3 << 20}) {
      file.seekp(place);
      for (int i = 0; i < 100'000; ++i)
        file.put(static_cast<char>(random()));
    }
    file.close();
    fs::resize_file(path, (5U << 20U) + 512);
    return path;
  }

  void keep(Converted& made, std::string const& path) {
    std::vector<std::byte> bytes(made.data->size_bytes());
    ASSERT_TRUE(made.data->read(0, bytes));
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<char const*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }

  std::string refusal(Converter& converter, std::string const& path, Format from, Format to) {
    auto const owned = std::move(open_file(path).value());
    auto const made = converter.convert(*owned, from, to, kOnward);
    return made ? "" : fmt::format("{}: {}", name_of(made.error().fault), made.error().detail);
  }

  fs::path home_;
};

TEST_P(ConverterTest, each_format_to_each_other) {
  auto const disk = plain_disk();
  auto converter = open();
  auto const targets = {Format::raw,  Format::qcow2, Format::vhd,
                        Format::vmdk, Format::zvhd,  Format::zvhd2};
  auto sources = std::vector<std::pair<Format, std::string>>{{Format::raw, disk}};
  for (auto const& [format, extra] :
       {std::pair{Format::qcow2, ""}, std::pair{Format::vmdk, ""}, std::pair{Format::vhdx, ""},
        std::pair{Format::vdi, ""}, std::pair{Format::vhd, "-o subformat=fixed,force_size=on"}}) {
    sources.emplace_back(format, at(formats::name_of(format)));
    ASSERT_EQ(shell(fmt::format("{} convert -f raw -O {} {} {} {}", kQemu, qemu_name(format), extra,
                                disk, sources.back().second)),
              0);
  }
  for (auto const format : {Format::zvhd, Format::zvhd2}) {
    auto const owned = std::move(open_file(disk).value());
    auto made = converter->convert(*owned, Format::raw, format, kOnward);
    ASSERT_TRUE(made) << made.error().detail;
    sources.emplace_back(format, at(formats::name_of(format)));
    keep(*made, sources.back().second);
  }
  for (auto const& [from, path] : sources) {
    for (auto const to : targets) {
      if (from == to) continue;
      SCOPED_TRACE(fmt::format("{} to {}", formats::name_of(from), formats::name_of(to)));
      std::unique_ptr<StoredBytes> const source = std::move(open_file(path).value());
      auto made = converter->convert(*source, from, to, kOnward);
      ASSERT_TRUE(made) << made.error().detail;
      // qemu-img rounds what it writes itself up to the grain of the format.
      EXPECT_GE(made->disk_bytes, (5U << 20U) + 512);
      if (to == Format::zvhd || to == Format::zvhd2) {
        auto back = converter->convert(*made->data, to, Format::raw, kOnward);
        ASSERT_TRUE(back) << back.error().detail;
        made = std::move(back);
      }
      keep(*made, at("made"));
      auto const format = to == Format::zvhd || to == Format::zvhd2 ? "raw" : qemu_name(to);
      EXPECT_EQ(
          shell(fmt::format("{} compare -f raw -F {} {} {}", kQemu, format, disk, at("made"))), 0);
    }
  }
  EXPECT_TRUE(fs::is_empty(at("work"))) << "nothing is left behind";
}

// qemu-img works in a directory of its own, from where the source was not found.
TEST_P(ConverterTest, a_relative_directory_does) {
  auto const disk = plain_disk();
  auto const here = fs::current_path();
  fs::current_path(home_);
  auto relative = options();
  relative.directory = "work";
  auto const converter = Converter::open(relative).value();
  auto made = converter->convert(*open_file(disk).value(), Format::raw, Format::qcow2, kOnward);
  fs::current_path(here);
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_GT(made->data->size_bytes(), 0U);
}

TEST_P(ConverterTest, hostile_sources_never_reach_qemu) {
  auto converter = open();
  auto const path = at("hostile");
  ASSERT_EQ(shell(fmt::format("{} create -f qcow2 -u -b /etc/passwd -F raw {} 1M", kQemu, path)),
            0);
  EXPECT_TRUE(refusal(*converter, path, Format::qcow2, Format::raw).starts_with("format_unsafe"));
  EXPECT_TRUE(refusal(*converter, path, Format::raw, Format::qcow2).starts_with("format_"));
  std::ofstream(path) << "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\n"
                         "createType=\"monolithicFlat\"\n\nRW 8 FLAT \"/etc/passwd\" 0\n";
  EXPECT_TRUE(refusal(*converter, path, Format::vmdk, Format::raw).starts_with("format_"));
  EXPECT_TRUE(fs::is_empty(at("work")));
}

TEST_P(ConverterTest, forced_past_the_inspection_nothing_else_is_read) {
  fs::create_directory(at("box"));
  std::ofstream(at("secret")) << std::string(4096, 's');
  std::ofstream(at("box/source"))
      << "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\n"
         "createType=\"monolithicFlat\"\n\nRW 8 FLAT \""
      << at("secret") << "\" 0\n\nddb.adapterType = \"ide\"\n";
  std::ofstream(at("box/target")).flush();
  Call const call{
      .directory = at("box"),
      .command = {std::string(kQemu), "convert", "-f", "vmdk", "-O", "raw", "source", "target"},
      .time = std::chrono::seconds(20),
      .memory_bytes = std::uint64_t{1} << 30U,
      .output_bytes = 1U << 20U};
  // Without a sandbox it does read it: the image is a working attack.
  ASSERT_EQ(shell(fmt::format("cd {} && {} convert -f vmdk -O raw source {}", at("box"), kQemu,
                              at("stolen"))),
            0);
  std::string stolen(4096, '\0');
  std::ifstream(at("stolen")).read(stolen.data(), 4096);
  ASSERT_EQ(stolen, std::string(4096, 's'));
  auto const ended = run(GetParam(), call, kOnward);
  ASSERT_TRUE(ended) << ended.error().detail;
  EXPECT_NE(ended->status, 0);
  EXPECT_EQ(fs::file_size(at("box/target")), 0);
}

TEST_P(ConverterTest, time_memory_and_output_are_limited) {
  auto const disk = plain_disk();
  auto few = options();
  few.memory_bytes = 24U << 20U;
  auto const small = Converter::open(few);
  EXPECT_TRUE(refusal(**small, disk, Format::raw, Format::qcow2).starts_with("conversion_failed"));
  fs::create_directory(at("box"));
  fs::copy_file(disk, at("box/source"));
  std::ofstream(at("box/target")).flush();
  Call call{
      .directory = at("box"),
      .command = {std::string(kQemu), "convert", "-f", "raw", "-O", "raw", "source", "target"},
      .time = std::chrono::seconds(20),
      .memory_bytes = std::uint64_t{1} << 30U,
      .output_bytes = 1U << 20U};
  auto const big = run(GetParam(), call, kOnward);
  ASSERT_TRUE(big);
  EXPECT_TRUE(big->signal != 0 || big->status != 0);
  EXPECT_LE(fs::file_size(at("box/target")), 1U << 20U);
  call.command = {"/usr/bin/sleep", "60"};
  call.time = std::chrono::seconds(1);
  auto const long_one = run(GetParam(), call, kOnward);
  ASSERT_TRUE(long_one);
  EXPECT_TRUE(long_one->out_of_time);
}

TEST_P(ConverterTest, no_network_and_no_processes) {
  fs::create_directory(at("box"));
  std::ofstream(at("box/source")).flush();
  std::ofstream(at("box/target")).flush();
  Call call{.directory = at("box"),
            .command = {},
            .time = std::chrono::seconds(20),
            .memory_bytes = std::uint64_t{4} << 30U,
            .output_bytes = 1U << 20U};
  auto const status = [&](std::vector<std::string> command) {
    call.command = std::move(command);
    auto const ended = run(GetParam(), call, kOnward);
    return ended ? ended->status : -1;
  };
  EXPECT_EQ(status({"/usr/bin/bash", "-c", "exit 5"}), 5);
  EXPECT_NE(status({"/usr/bin/bash", "-c", "(exit 0) && exit 0; exit 9"}), 0);
  EXPECT_NE(status({"/usr/bin/bash", "-c", "exec 4<>/dev/tcp/127.0.0.1/1 2>&1; exit 9"}), 0);
  EXPECT_NE(status({"/usr/bin/cat", "/etc/passwd"}), 0);
}

TEST_P(ConverterTest, a_cancelled_one_leaves_nothing) {
  auto converter = open();
  std::unique_ptr<StoredBytes> const source = std::move(open_file(plain_disk()).value());
  formats::Progress const stop = [](int percent) -> Result<> {
    return percent < 30 ? Result<>{} : error(Fault::lease_lost);
  };
  auto const made = converter->convert(*source, Format::raw, Format::qcow2, stop);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().fault, Fault::lease_lost);
  EXPECT_TRUE(fs::is_empty(at("work")));
}

TEST_P(ConverterTest, leftovers_are_swept_and_living_ones_kept) {
  auto converter = open();
  std::unique_ptr<StoredBytes> const source = std::move(open_file(plain_disk()).value());
  auto made = converter->convert(*source, Format::raw, Format::zvhd, kOnward);
  ASSERT_TRUE(made);
  fs::create_directory(at("work/conversion-killed"));
  std::ofstream(at("work/conversion-killed/source")) << "left";
  auto const other = open();
  EXPECT_FALSE(fs::exists(at("work/conversion-killed")));
  EXPECT_FALSE(fs::is_empty(at("work")));
  made->data.reset();
  EXPECT_TRUE(fs::is_empty(at("work")));
}

TEST_P(ConverterTest, without_qemu_img_what_needs_it_is_refused) {
  auto without = options();
  without.qemu_img = at("nothing");
  std::vector<std::string> told;
  without.unusable = [&](std::string_view why) { told.emplace_back(why); };
  auto const converter = std::move(Converter::open(without).value());
  auto const refused = converter->check(Format::raw, Format::qcow2);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::format_unwritable);
  EXPECT_EQ(refused.error().detail,
            "raw cannot be converted to qcow2: qemu-img cannot be used here");
  EXPECT_FALSE(converter->check(Format::qcow2, Format::raw));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0], at("nothing") +
                         ": No such file or directory; it is in the package qemu-utils, "
                         "and [convert] qemu_img tells where it lies");
  EXPECT_TRUE(converter->check(Format::raw, Format::zvhd2));
  EXPECT_TRUE(converter->check(Format::zvhd, Format::raw));
  EXPECT_FALSE(open()->check(Format::raw, Format::vdi));
  EXPECT_FALSE(open()->check(Format::ova, Format::raw));
  EXPECT_FALSE(open()->check(Format::raw, Format::raw));
}

// Each of the two is skipped where it does not work; a machine with neither converts nothing.
TEST(SandboxTest, OneWorksHere) {
  EXPECT_TRUE(works(Sandbox::bubblewrap) || works(Sandbox::landlock));
}

INSTANTIATE_TEST_SUITE_P(Each, ConverterTest,
                         testing::Values(Sandbox::bubblewrap, Sandbox::landlock),
                         [](auto const& each) {
                           return each.param == Sandbox::bubblewrap ? "bubblewrap" : "landlock";
                         });

} // namespace
} // namespace vitrine::convert
