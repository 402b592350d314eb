#include "net/reply_head.hpp"

#include <gtest/gtest.h>

namespace vitrine::net {
namespace {

std::string rendered(Reply const& reply, std::uint64_t length, bool closes = false,
                     bool announce = false) {
  std::string out;
  render_head(out, reply, length, "DATE", closes, announce);
  return out;
}

TEST(ReplyHead, RendersDates) {
  EXPECT_EQ(DateLine::render(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(DateLine::render(0), "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(ReplyHead, RendersStatusTypeLengthAndHeaders) {
  Reply reply;
  reply.status = 201;
  reply.content_type = "application/json";
  reply.headers = {{"Location", "/x"}, {"X-A", ""}};
  EXPECT_EQ(rendered(reply, 18446744073709551615U),
            "HTTP/1.1 201 Created\r\nDate: DATE\r\nContent-Type: application/json\r\n"
            "Content-Length: 18446744073709551615\r\nLocation: /x\r\nX-A: \r\n\r\n");
}

TEST(ReplyHead, SaysWhatHappensToTheConnection) {
  EXPECT_EQ(rendered({}, 0, true),
            "HTTP/1.1 200 OK\r\nDate: DATE\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(rendered({}, 0, false, true),
            "HTTP/1.1 200 OK\r\nDate: DATE\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
}

TEST(ReplyHead, GivesNoLengthWithoutABody) {
  Reply reply;
  reply.status = 204;
  EXPECT_EQ(rendered(reply, 0), "HTTP/1.1 204 No Content\r\nDate: DATE\r\n\r\n");
  reply.status = 304;
  EXPECT_EQ(rendered(reply, 0), "HTTP/1.1 304 Not Modified\r\nDate: DATE\r\n\r\n");
}

TEST(ReplyHead, CannotBeSplit) {
  Reply reply;
  reply.content_type = "a\r\nB: c";
  reply.headers = {{"X\r\nY", std::string("v\r\nSet-Cookie: a=b\0c", 20)}};
  EXPECT_EQ(rendered(reply, 0), "HTTP/1.1 200 OK\r\nDate: DATE\r\nContent-Type: aB: c\r\n"
                                "Content-Length: 0\r\nXY: vSet-Cookie: a=bc\r\n\r\n");
}

TEST(ReplyHead, OwnsTheFraming) {
  Reply reply;
  reply.headers = {{"content-length", "9"},
                   {"Transfer-Encoding", "chunked"},
                   {"CONNECTION", "x"},
                   {"date", "x"}};
  EXPECT_EQ(rendered(reply, 3), "HTTP/1.1 200 OK\r\nDate: DATE\r\nContent-Length: 3\r\n\r\n");
}

TEST(ReplyHead, TurnsAnImpossibleStatusIntoAnInternalError) {
  Reply reply;
  for (int const status : {0, 100, 199, 600}) {
    reply.status = status;
    EXPECT_TRUE(rendered(reply, 0).starts_with("HTTP/1.1 500 Internal Server Error\r\n")) << status;
  }
  reply.status = 299;
  EXPECT_TRUE(rendered(reply, 0).starts_with("HTTP/1.1 299 \r\n"));
}

} // namespace
} // namespace vitrine::net
