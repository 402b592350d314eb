#include "net/chunked.hpp"

#include <gtest/gtest.h>
#include <string>

namespace vitrine::net {
namespace {

using Status = ChunkDecoder::Status;

struct Decoded {
  Status status;
  std::string data;
  std::string rest;
};

/// Decodes in pieces of `step` bytes.
Decoded decode(std::string body, std::size_t step) {
  ChunkDecoder decoder;
  Decoded decoded{Status::more, "", ""};
  for (std::size_t at = 0; at < body.size() && decoded.status == Status::more; at += step) {
    std::span<char> const part(body.data() + at, std::min(step, body.size() - at));
    auto const piece = decoder.decode(part);
    decoded.status = piece.status;
    decoded.data.append(part.data(), piece.data_bytes);
    if (piece.status == Status::done) decoded.rest = body.substr(at + piece.consumed);
  }
  return decoded;
}

TEST(ChunkDecoder, TakesTheFramingOut) {
  std::string const body = "4\r\nWiki\r\n00A;name=\"v\";x\r\n0123456789\r\n1\r\n\n\r\n0;e\r\n"
                           "Trailer: value\r\nOther:\r\n\r\nGET /";
  for (std::size_t step = 1; step <= body.size(); ++step) {
    Decoded const decoded = decode(body, step);
    EXPECT_EQ(decoded.status, Status::done) << step;
    EXPECT_EQ(decoded.data, "Wiki0123456789\n") << step;
    EXPECT_EQ(decoded.rest, "GET /") << step;
  }
}

TEST(ChunkDecoder, TakesAnEmptyBody) {
  Decoded const decoded = decode("0\r\n\r\n", 5);
  EXPECT_EQ(decoded.status, Status::done);
  EXPECT_EQ(decoded.data, "");
}

TEST(ChunkDecoder, RefusesBrokenFraming) {
  for (std::string const& body : {
           std::string("\r\n"),
           std::string(";x\r\n"),
           std::string("g\r\n"),
           std::string("-1\r\n"),
           std::string("+1\r\n"),
           std::string("0x1\r\n"),
           std::string(" 1\r\n"),
           std::string("1 \r\n"),
           std::string("1\n"),
           std::string("1\r\r\n"),
           std::string("1;a\n"),
           std::string("1;a\0b\r\n", 7),
           std::string("1\r\nab"),
           std::string("1\r\na\n"),
           std::string("1\r\na\r\r"),
           std::string("ffffffffffffffff\r\n"),
           std::string("100000000000000000\r\n"),
           std::string("0\r\n\n"),
           std::string("0\r\n\r\r"),
           std::string("0\r\nA: b\n"),
           std::string("0\r\nA: b\r\n c\r\n\r\n"),
           std::string("0\r\nA: \x01\r\n\r\n"),
       }) {
    EXPECT_EQ(decode(body, body.size()).status, Status::malformed) << body;
    EXPECT_EQ(decode(body, 1).status, Status::malformed) << body;
  }
}

TEST(ChunkDecoder, BoundsExtensionsAndTrailers) {
  EXPECT_EQ(decode("1;" + std::string(1000, 'x'), 100).status, Status::more);
  EXPECT_EQ(decode("1;" + std::string(1100, 'x'), 100).status, Status::malformed);
  std::string trailers = "0\r\n";
  for (int i = 0; i < 100; ++i)
    trailers += "A: " + std::string(95, 'x') + "\r\n";
  EXPECT_EQ(decode(trailers + "\r\n", 100).status, Status::malformed);
  // The bound is for one line: many chunks with extensions are fine.
  std::string many;
  for (int i = 0; i < 100; ++i)
    many += "1;" + std::string(100, 'x') + "\r\na\r\n";
  EXPECT_EQ(decode(many + "0\r\n\r\n", 100).status, Status::done);
}

} // namespace
} // namespace vitrine::net
