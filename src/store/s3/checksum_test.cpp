#include "store/s3/checksum.hpp"

#include <gtest/gtest.h>
#include <string_view>

namespace vitrine::store::s3 {
namespace {

std::span<std::byte const> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

TEST(Checksum, IsThatOfTheStandard) {
  Checksum checksum;
  EXPECT_EQ(checksum.text(), "AAAAAA==");
  checksum.add(bytes_of("123456789"));
  EXPECT_EQ(checksum.text(), "y/Q5Jg=="); // CBF43926, the check value of CRC-32
}

TEST(Checksum, OfPartsIsThatOfTheWhole) {
  Checksum whole;
  Checksum first;
  Checksum second;
  first.add(bytes_of("1234"));
  second.add(bytes_of("567"));
  second.add(bytes_of("89"));
  whole.append(first);
  whole.append(second);
  whole.append({});
  EXPECT_EQ(whole.text(), "y/Q5Jg==");
}

} // namespace
} // namespace vitrine::store::s3
