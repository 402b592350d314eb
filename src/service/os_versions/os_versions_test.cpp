#include "service/os_versions/os_versions.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

namespace vitrine::service {
namespace {

OsVersions built_in(OsVersionPolicy policy = OsVersionPolicy::strict) {
  return OsVersions::load(policy).value();
}

std::string told(OsVersion const& version) {
  return version.platform + "/" + version.type + "/" + std::to_string(version.bit) +
         (version.uefi ? "/uefi" : "");
}

class SecondFile : public testing::Test {
protected:
  SecondFile() {
    std::string name = (std::filesystem::temp_directory_path() / "vitrine_os_XXXXXX").string();
    path_ = name;
    int const file = ::mkstemp(path_.data());
    EXPECT_GE(file, 0);
    ::close(file);
  }
  ~SecondFile() override { std::filesystem::remove(path_); }

  Result<OsVersions> load(std::string_view text) {
    std::ofstream(path_) << text;
    return OsVersions::load(OsVersionPolicy::strict, path_);
  }
  /// The fault without the name of the file.
  std::string fault(std::string_view text) {
    auto const loaded = load(text);
    EXPECT_FALSE(loaded) << text;
    return loaded ? "" : loaded.error().detail.substr(path_.size());
  }

  std::string path_;
};

TEST(OsVersions, AreFoundInAnyCaseAndSpacing) {
  auto const versions = built_in();
  EXPECT_EQ(versions.all().size(), 240U);
  auto const* found = versions.find("  debian gnu/linux   12.0.0 64BIT ");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->text, "Debian GNU/Linux 12.0.0 64bit");
  EXPECT_EQ(told(*found).substr(0, 15), "Debian/Linux/64");
  EXPECT_EQ(versions.find("Redhat Linux Enterprise 7.4 64bit"),
            versions.find("red hat linux enterprise 7.4 64bit"));
  EXPECT_EQ(told(*versions.find("Redhat Linux Enterprise 7.4 64bit")), "Red Hat/Linux/64/uefi");
  EXPECT_EQ(told(*versions.find("Windows 7 Professional 32bit")), "Windows/Windows/32");
  EXPECT_EQ(versions.find("Debian GNU/Linux 12.0.0"), nullptr);
  EXPECT_EQ(versions.find(""), nullptr);
}

TEST(OsVersions, StrictRefusesWhatNoListHasAndOpenGuesses) {
  auto const strict = built_in();
  auto const open = built_in(OsVersionPolicy::open);
  EXPECT_EQ(strict.read("Debian 99 64bit").error().fault, Fault::os_version);
  EXPECT_EQ(told(open.read("Debian 99 64bit").value()), "Debian/Linux/64");
  EXPECT_EQ(told(open.read("openSUSE Leap 99 i686").value()), "OpenSUSE/Linux/32");
  EXPECT_EQ(told(open.read("REDHAT 10").value()), "Red Hat/Linux/64");
  EXPECT_EQ(told(open.read("Windows 3.11 32 bit").value()), "Windows/Windows/32");
  EXPECT_EQ(told(open.read("NetBSD 10").value()), "Other/Other/64");
  EXPECT_EQ(told(open.read("x").value()), "Other/Linux/64");
  EXPECT_EQ(open.read("").error().fault, Fault::os_version);
  EXPECT_TRUE(open.read(std::string(255, 'x')));
  EXPECT_EQ(open.read(std::string(256, 'x')).error().fault, Fault::os_version);
}

TEST_F(SecondFile, AddsLinesAndStandsOverThoseOfTheSameName) {
  auto const versions = load("# ours\nplatform\tos_version\tos_bit\tos_type\tuefi\r\n"
                             "Alpine\tAlpine 3.20\t64\tLinux\tyes\n\n"
                             "Debian\tdebian gnu/linux 12.0.0 64bit\t32\tOther\tno\n")
                            .value();
  EXPECT_EQ(versions.all().size(), 241U);
  EXPECT_EQ(versions.all().back().text, "Alpine 3.20");
  EXPECT_EQ(told(versions.read("ALPINE  3.20").value()), "Alpine/Linux/64/uefi");
  EXPECT_EQ(told(versions.read("Debian GNU/Linux 12.0.0 64bit").value()), "Debian/Other/32");
}

TEST_F(SecondFile, NamesTheLineAtFault) {
  std::string const head = "platform\tos_version\tos_bit\tos_type\tuefi\n";
  EXPECT_EQ(fault(""), ": holds no line");
  EXPECT_EQ(fault("a\tb\n"), ":1: the first line names no column platform");
  EXPECT_EQ(fault(head + "Debian\tDebian 13\t64\n"), ":2: 3 columns, not 5");
  EXPECT_EQ(fault(head + "\nDebian\tDebian 13\t65\tLinux\tno\n"), ":3: os_bit is 32 or 64");
  EXPECT_EQ(fault(head + "Debian\tDebian 13\t64\tlinux\tno\n"),
            ":2: os_type is Linux, Windows or Other");
  EXPECT_EQ(fault(head + "Debian\tDebian 13\t64\tLinux\ttrue\n"), ":2: uefi is yes or no");
  EXPECT_EQ(fault(head + "\tDebian 13\t64\tLinux\tno\n"),
            ":2: platform and os_version have 1 to 255 characters");
  EXPECT_EQ(fault(head + "\xFF\n"), ": not UTF-8");
  auto const missing = OsVersions::load(OsVersionPolicy::strict, path_ + ".none");
  EXPECT_EQ(missing.error().detail, path_ + ".none: cannot be read");
}

} // namespace
} // namespace vitrine::service
