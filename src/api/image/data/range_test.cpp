#include "api/image/data/range.hpp"

#include <gtest/gtest.h>

namespace vitrine::api::image {
namespace {

constexpr std::uint64_t kSize = 1024;

Fault fault_of(Result<ByteRange> const& result) {
  EXPECT_FALSE(result);
  return result ? Fault::internal : result.error().fault;
}

} // namespace

TEST(Range, reads_each_form) {
  EXPECT_EQ(parse_range("bytes=0-9", kSize), (ByteRange{0, 10}));
  EXPECT_EQ(parse_range("bytes=5-5", kSize), (ByteRange{5, 1}));
  EXPECT_EQ(parse_range("bytes=-5", kSize), (ByteRange{1019, 5}));
  EXPECT_EQ(parse_range("bytes=1000-", kSize), (ByteRange{1000, 24}));
  EXPECT_EQ(parse_range("Bytes= 0-9 ", kSize), (ByteRange{0, 10})) << "the unit ignores case";
}

TEST(Range, cuts_at_the_end_of_the_data) {
  EXPECT_EQ(parse_range("bytes=0-99999", kSize), (ByteRange{0, kSize}));
  EXPECT_EQ(parse_range("bytes=-99999", kSize), (ByteRange{0, kSize}));
  EXPECT_EQ(parse_range("bytes=1023-1024", kSize), (ByteRange{1023, 1}));
  EXPECT_EQ(parse_range("bytes=1-99999999999999999999999", kSize), (ByteRange{1, 1023}));
}

TEST(Range, refuses_what_the_data_does_not_have) {
  for (auto const* header :
       {"bytes=1024-", "bytes=1024-1025", "bytes=5-2", "bytes=-0", "bytes=99999999999999999999-"}) {
    EXPECT_EQ(fault_of(parse_range(header, kSize)), Fault::range_unsatisfiable) << header;
  }
  for (auto const* header : {"bytes=0-", "bytes=-5", "bytes=0-0"}) {
    EXPECT_EQ(fault_of(parse_range(header, 0)), Fault::range_unsatisfiable) << header;
  }
}

TEST(Range, refuses_malformed_headers) {
  for (auto const* header :
       {"", "abc", "bytes", "bytes=", "bytes=-", "bytes=5", "bytes=a-b", "bytes=0x1-2",
        "bytes=+1-2", "bytes=1--2", "bytes=1-2-3", "bytes 0-9", "items=0-1", "bytes=1 - 2"}) {
    EXPECT_EQ(fault_of(parse_range(header, kSize)), Fault::range_unsatisfiable) << header;
  }
}

TEST(Range, refuses_several) {
  for (auto const* header : {"bytes=0-0,10-12", "bytes=0-0,", "bytes=,"}) {
    EXPECT_EQ(fault_of(parse_range(header, kSize)), Fault::invalid_value) << header;
  }
}

TEST(Range, reads_content_range) {
  EXPECT_EQ(parse_content_range("bytes 0-9/1024", kSize), (ByteRange{0, 10}));
  EXPECT_EQ(parse_content_range("bytes 1000-5000/*", kSize), (ByteRange{1000, 24}));
  for (auto const* header : {"", "bytes", "bytes ", "bytes */1024", "bytes 0-9", "bytes 0-9/",
                             "bytes 0-9/1025", "bytes 9-0/1024", "bytes -5/1024", "bytes 5-/1024",
                             "bytes 0/1024-9", "bytes=0-9/1024", "bytes 1024-1024/1024"}) {
    EXPECT_EQ(fault_of(parse_content_range(header, kSize)), Fault::range_unsatisfiable) << header;
  }
}

} // namespace vitrine::api::image
