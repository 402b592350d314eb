// Bodies and answers that take a share of the memory that all have together.
#include "net/session_test.hpp"

#include <future>
#include <vector>

namespace vitrine::net::testing {
namespace {

using namespace std::chrono_literals;

/// Bodies beyond what is read from everybody.
class LongBodyTest : public SessionTest {
protected:
  LongBodyTest() {
    handler_.on_route = [](RequestHead const&) { return Route{.body_bytes_max = 1U << 20U}; };
    handler_.on_admit = [this](RequestHead const& head) -> std::optional<Reply> {
      judged_.put(head.target);
      if (head.header("Token")) return std::nullopt;
      return reply(401, "who?");
    };
  }

  static std::string const& long_body() {
    static std::string const body(kShortBodyBytes + 1, 'x');
    return body;
  }
  static std::string sized(std::string const& headers, std::size_t bytes) {
    return post(headers + "Content-Length: " + std::to_string(bytes) + "\r\n", "");
  }
  /// Leaves the client with room for its body, and the body yet to come.
  static void invite(Client& client, std::size_t bytes) {
    EXPECT_EQ(client.ask(sized("Token: t\r\nExpect: 100-continue\r\n", bytes)).status, 100);
  }

  Mailbox<std::string> judged_;
};

TEST_F(LongBodyTest, IsReadOnceTheHeadWasAdmitted) {
  Client client = connect();
  client.send(sized("Token: t\r\n", long_body().size()) + long_body() + get("/next"));
  EXPECT_EQ(client.read().body, "POST /p " + long_body());
  EXPECT_EQ(client.read().body, "GET /next ");
  EXPECT_EQ(judged_.take(), "/p");
  EXPECT_TRUE(judged_.empty());
}

TEST_F(LongBodyTest, IsNotWaitedForWhenTheHeadIsRefused) {
  Client client = connect();
  EXPECT_EQ(client.ask(sized("", long_body().size())).body, "who?");
  client.send(long_body() + get("/next"));
  EXPECT_EQ(client.read().body, "GET /next ");

  EXPECT_EQ(client.ask(sized("", 1U << 20U)).status, 401);
  EXPECT_TRUE(client.closed());
}

TEST_F(LongBodyTest, IsNotAskedForWhenTheHeadIsRefused) {
  Client client = connect();
  EXPECT_EQ(client.ask(sized("Expect: 100-continue\r\n", long_body().size())).status, 401);
  EXPECT_TRUE(client.closed());
}

TEST_F(LongBodyTest, IsTooLargeOnlyForACallerWhoIsAdmitted) {
  EXPECT_EQ(connect().ask(sized("", (1U << 20U) + 1)).status, 401);
  EXPECT_EQ(connect().ask(sized("Token: t\r\n", (1U << 20U) + 1)).status, 413);
}

TEST_F(LongBodyTest, InChunksIsJudgedWhenItGrowsLong) {
  std::string const start = "4000\r\n" + std::string(kShortBodyBytes, 'x') + "\r\n";
  std::string const rest = "1\r\nx\r\n0\r\n\r\n";
  Client short_one = connect();
  short_one.send(post("Transfer-Encoding: chunked\r\n", start + "0\r\n\r\n"));
  EXPECT_EQ(short_one.read().body.size(), 8 + kShortBodyBytes);
  EXPECT_TRUE(judged_.empty());

  Client admitted = connect();
  admitted.send(post("Token: t\r\nTransfer-Encoding: chunked\r\n", start));
  admitted.send(rest + get("/next"));
  EXPECT_EQ(admitted.read().body, "POST /p " + long_body());
  EXPECT_EQ(admitted.read().body, "GET /next ");

  Client refused = connect();
  refused.send(post("Transfer-Encoding: chunked\r\n", start + "1\r\nx\r\n"));
  EXPECT_EQ(refused.read().status, 401);
  EXPECT_TRUE(refused.closed());
}

TEST_F(LongBodyTest, OfManyTakesNoMoreMemoryThanIsSetAside) {
  options_.long_bodies_bytes_max = 40'000;
  Client first = connect();
  invite(first, 20'000);
  Client second = connect();
  invite(second, 20'000);

  Client third = connect();
  Answer const refused = third.ask(sized("Token: t\r\n", 20'000));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("Connection"), "close");
  EXPECT_TRUE(third.closed());
  Client chunked = connect(); // may become as long as the limit
  chunked.send(post("Token: t\r\nTransfer-Encoding: chunked\r\n",
                    "4e20\r\n" + std::string(20'000, 'x') + "\r\n"));
  EXPECT_EQ(chunked.read().status, 503);
  EXPECT_EQ(connect().ask(post("Content-Length: 3\r\n", "abc")).body, "POST /p abc");

  std::string const body(20'000, 'y');
  EXPECT_EQ(first.ask(body).body, "POST /p " + body);
  EXPECT_EQ(connect().ask(sized("Token: t\r\n", 20'000) + body).body, "POST /p " + body);
}

TEST_F(LongBodyTest, TakesMemoryAsItComes) {
  options_.long_bodies_bytes_max = 192U << 10U; // three times the first share
  Client first = connect();
  invite(first, 1U << 20U);
  Client second = connect();
  invite(second, 100'000);
  Client third = connect();
  invite(third, 1U << 20U);
  EXPECT_EQ(connect().ask(sized("Token: t\r\n", 20'000)).status, 503);

  EXPECT_EQ(first.ask(std::string(70'000, 'x')).status, 503);
  EXPECT_TRUE(first.closed());
  std::string const body(100'000, 'y'); // grows into what the first one had
  EXPECT_EQ(second.ask(body).body, "POST /p " + body);
}

TEST_F(LongBodyTest, HasItsTimeInAll) {
  options_.long_body_timeout = 200ms;
  options_.body_bytes_per_second_min = 1;
  Client client = connect();
  invite(client, long_body().size());
  // One byte every 20 ms is fast enough for a short one.
  trickle(client);
  EXPECT_EQ(client.read().status, 408);
}

TEST_F(LongBodyTest, OfAClientThatLeftTakesNoMemory) {
  options_.long_bodies_bytes_max = 20'000;
  std::string const body(20'000, 'y');
  {
    Client leaving = connect();
    invite(leaving, 20'000);
    leaving.send("abc");
    leaving.shut_sending();
    EXPECT_TRUE(leaving.closed());
  }
  EXPECT_EQ(connect().ask(sized("Token: t\r\n", 20'000) + body).body, "POST /p " + body);
}

TEST_F(LongBodyTest, LeavesShortOnesTheirThreads) {
  options_.api_threads = 1;
  options_.long_body_threads = 1;
  std::promise<void> go;
  std::shared_future<void> const gone = go.get_future().share();
  Mailbox<int> started;
  handler_.on_handle = [&](Request& request) {
    if (request.body.size() <= kShortBodyBytes) return reply(200, "soon");
    started.put(1);
    gone.wait();
    return reply(200, "late");
  };
  std::string const request = sized("Token: t\r\n", long_body().size()) + long_body();
  Client running = connect();
  running.send(request);
  EXPECT_TRUE(started.take());
  Client queued = connect();
  queued.send(request);
  EXPECT_EQ(connect().ask(post("Content-Length: 3\r\n", "abc")).body, "soon");
  EXPECT_TRUE(started.empty());
  go.set_value();
  EXPECT_EQ(running.read().body, "late");
  EXPECT_EQ(queued.read().body, "late");
}

TEST_F(LongBodyTest, OfAnUnluckyHeadIsRefusedAsABug) {
  Mailbox<std::string> reports;
  options_.report_bug = [&](std::string_view line) { reports.put(std::string(line)); };
  handler_.on_admit = [](RequestHead const&) -> std::optional<Reply> {
    throw std::runtime_error("broken");
  };
  EXPECT_EQ(connect().ask(sized("", long_body().size())).status, 500);
  EXPECT_EQ(reports.take(), "POST /p: broken");
}

/// Answers longer than what the kernel takes for a client that does not read.
class LongReplyTest : public SessionTest {
protected:
  LongReplyTest() {
    handler_.on_handle = [](Request& request) {
      return reply(200, request.target == "/small" ? "small" : long_reply());
    };
    options_.long_replies_bytes_max = 4 * long_reply().size();
  }

  static std::string const& long_reply() {
    static std::string const body(8'000'000, 'x');
    return body;
  }
  /// Waits until the answer has begun to come, and reads none of it.
  static void leave_unread(Client& client, std::string const& request) {
    client.take_little();
    client.send(request);
    pollfd begun{client.descriptor(), POLLIN, 0};
    EXPECT_EQ(::poll(&begun, 1, 10'000), 1);
  }
};

TEST_F(LongReplyTest, ThatNobodyReadsTakesNoMoreMemoryThanIsSetAside) {
  Client first = connect();
  Client second = connect();
  Client third = connect();
  for (Client* reader : {&first, &second, &third})
    leave_unread(*reader, get("/"));
  Client fourth = connect();
  EXPECT_EQ(fourth.ask(get("/")).status, 503);
  EXPECT_EQ(fourth.ask(get("/small")).body, "small");

  // What is left is for writes: they are done, and a refusal would deny it.
  Client writer = connect();
  leave_unread(writer, post("", ""));
  Client other = connect();
  other.send(post("", ""));
  EXPECT_TRUE(other.closed());

  for (Client* reading : {&writer, &first}) {
    EXPECT_TRUE(reading->read().body == long_reply());
    EXPECT_EQ(reading->ask(get("/small")).body, "small"); // so its long answer has ended
  }
  EXPECT_TRUE(fourth.ask(get("/")).body == long_reply());
}

TEST_F(LongReplyTest, OfAClientThatLeftTakesNoMemory) {
  options_.long_replies_bytes_max = long_reply().size() * 4 / 3;
  Client leaving = connect();
  leave_unread(leaving, get("/"));
  leaving.reset();
  Client client = connect();
  while (server_->figures().connections_open > 1)
    EXPECT_EQ(client.ask(get("/small")).body, "small");
  EXPECT_EQ(client.ask(get("/")).status, 200);
}

TEST_F(LongReplyTest, HasItsTimeInAll) {
  options_.long_reply_timeout = 300ms;
  options_.body_timeout = 100ms;
  options_.body_bytes_per_second_min = 1;
  Client client = connect();
  leave_unread(client, get("/"));
  // 20 KB every 20 ms are fast enough, yet would take 8 seconds.
  std::vector<char> part(20'000);
  std::size_t taken = 0;
  while (server_->figures().connections_open > 0 && taken < long_reply().size()) {
    ssize_t const got = ::recv(client.descriptor(), part.data(), part.size(), 0);
    if (got <= 0) break;
    taken += static_cast<std::size_t>(got);
    ::poll(nullptr, 0, 20);
  }
  EXPECT_LT(taken, long_reply().size());
}

} // namespace
} // namespace vitrine::net::testing
