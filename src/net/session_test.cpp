#include "net/test_client.hpp"

#include <deque>
#include <future>
#include <tuple>

namespace vitrine::net::testing {
namespace {

using namespace std::chrono_literals;

std::string get(std::string const& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

std::string post(std::string const& headers, std::string const& body) {
  return "POST /p HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n" + body;
}

class SessionTest : public ::testing::Test {
protected:
  Client connect() {
    if (!server_) server_ = start(options_, handler_);
    return Client(server_->port());
  }

  TestHandler handler_;
  ServerOptions options_ = local_options();
  std::unique_ptr<Server> server_;
};

TEST_F(SessionTest, AnswersManyRequestsOnOneConnection) {
  Client client = connect();
  for (int i = 0; i < 3; ++i) {
    for (std::string const target : {"/pooled", "/quick"}) {
      Answer const answer = client.ask(get(target));
      EXPECT_EQ(answer.status, 200);
      EXPECT_EQ(answer.body, "GET " + target + " ");
      EXPECT_EQ(answer.header("Connection"), "");
      EXPECT_EQ(answer.header("Date").size(), 29U);
      EXPECT_EQ(answer.head.find("Server"), std::string::npos);
    }
  }
  EXPECT_EQ(server_->figures().connections_total, 1U);
}

TEST_F(SessionTest, AnswersLaterWithoutAThreadThatWaits) {
  options_.api_threads = 1;
  options_.api_queue_max = 0;
  handler_.on_route = [](RequestHead const&) {
    return Route{.body_bytes_max = 1000, .later = true};
  };
  std::mutex mutex;
  std::vector<std::pair<std::string, Handler::OnAnswer>> kept;
  std::promise<void> all_there;
  constexpr std::size_t kClients = 8;
  handler_.on_later = [&](Request& request, Handler::OnAnswer const& done) {
    std::lock_guard const lock(mutex);
    kept.emplace_back(request.target, done);
    if (kept.size() == kClients) all_there.set_value();
    return true;
  };
  std::ignore = connect(); // starts the server
  std::deque<Client> clients;
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.emplace_back(server_->port()).send(get("/" + std::to_string(i)));
  }
  all_there.get_future().wait();
  for (auto const& [target, done] : kept)
    done([text = "late " + target] { return std::optional(reply(200, text)); });
  for (std::size_t i = 0; i < kClients; ++i)
    EXPECT_EQ(clients[i].read().body, "late /" + std::to_string(i));
}

TEST_F(SessionTest, HandlesWhatWasNotAnsweredLater) {
  handler_.on_route = [](RequestHead const&) {
    return Route{.body_bytes_max = 1000, .later = true};
  };
  handler_.on_later = [](Request& request, Handler::OnAnswer const& done) {
    if (request.target == "/refused") return false;
    if (request.target == "/thrown") throw std::runtime_error("a bug of this test");
    std::thread([done, failed = request.target == "/failed"] {
      done([failed]() -> std::optional<Reply> {
        if (failed) return std::nullopt;
        throw std::runtime_error("a bug of this test");
      });
    }).detach();
    return true;
  };
  options_.report_bug = [](std::string_view) {};
  Client client = connect();
  for (std::string const target : {"/refused", "/thrown", "/failed", "/made_badly"})
    EXPECT_EQ(client.ask(get(target)).body, "GET " + target + " ");
}

TEST_F(SessionTest, TellsTheHandlerWhoAsks) {
  handler_.on_handle = [](Request& request) {
    return reply(200, request.remote_address + (request.tls ? " tls" : " plain"));
  };
  EXPECT_EQ(connect().ask(get("/")).body, "127.0.0.1 plain");
}

TEST_F(SessionTest, AnswersPipelinedRequestsInOrder) {
  Client client = connect();
  client.send(get("/1") + post("Content-Length: 3\r\n", "abc") + get("/quick") +
              post("Transfer-Encoding: chunked\r\n", "2\r\nde\r\n0\r\n\r\n") + get("/2"));
  EXPECT_EQ(client.read().body, "GET /1 ");
  EXPECT_EQ(client.read().body, "POST /p abc");
  EXPECT_EQ(client.read().body, "GET /quick ");
  EXPECT_EQ(client.read().body, "POST /p de");
  EXPECT_EQ(client.read().body, "GET /2 ");
}

TEST_F(SessionTest, ReadsRequestsThatComeByteByByte) {
  Client client = connect();
  for (char const c : post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n")) {
    client.send({&c, 1});
  }
  EXPECT_EQ(client.read().body, "POST /p abc");
}

TEST_F(SessionTest, ClosesWhenTheClientAsks) {
  Client client = connect();
  Answer const answer = client.ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_TRUE(client.closed());
}

TEST_F(SessionTest, ClosesWhenTheHandlerAsks) {
  handler_.on_handle = [](Request&) {
    Reply answer = reply(200, "x");
    answer.close = true;
    return answer;
  };
  Client client = connect();
  EXPECT_EQ(client.ask(get("/")).header("Connection"), "close");
  EXPECT_TRUE(client.closed());
}

TEST_F(SessionTest, AnswersHttp10) {
  Client client = connect();
  Answer const kept = client.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(kept.status, 200);
  EXPECT_EQ(kept.header("Connection"), "keep-alive");
  EXPECT_EQ(client.ask("GET / HTTP/1.0\r\n\r\n").header("Connection"), "close");
  EXPECT_TRUE(client.closed());
}

TEST_F(SessionTest, AnswersHeadWithTheLengthButNoBody) {
  Client client = connect();
  client.send("HEAD /long HTTP/1.1\r\nHost: a\r\n\r\n" + get("/next"));
  EXPECT_EQ(client.read(true).header("Content-Length"), "11");
  EXPECT_EQ(client.read().body, "GET /next ");
}

TEST_F(SessionTest, AnswersWithoutABodyWhereNoneMayBe) {
  handler_.on_handle = [](Request& request) {
    return reply(request.target == "/204" ? 204 : 304, "not to be sent");
  };
  Client client = connect();
  client.send(get("/204") + get("/304"));
  for (int const status : {204, 304}) {
    Answer const answer = client.read();
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.header("Content-Length"), "");
  }
}

TEST_F(SessionTest, SendsAnAnswerLargerThanTheSocketTakes) {
  std::string const large(20'000'000, 'x');
  handler_.on_handle = [&](Request&) { return reply(200, large); };
  Client client = connect();
  client.send(get("/"));
  ASSERT_TRUE(client.ask(get("/")).body == large);
  ASSERT_TRUE(client.read().body == large);
}

TEST_F(SessionTest, SendsContinueOnlyForABodyThatIsAllowed) {
  Client client = connect();
  Answer const leave = client.ask(post("Expect: 100-continue\r\nContent-Length: 3\r\n", ""));
  EXPECT_EQ(leave.head, "HTTP/1.1 100 Continue\r\n");
  EXPECT_EQ(client.ask("abc").body, "POST /p abc");

  EXPECT_EQ(client.ask(post("Expect: 100-continue\r\nContent-Length: 1001\r\n", "")).status, 413);
  EXPECT_TRUE(client.closed());
}

TEST_F(SessionTest, NeedsNoContinueWhenTheBodyIsThere) {
  Client client = connect();
  Answer const answer = client.ask(post("Expect: 100-continue\r\nContent-Length: 3\r\n", "abc"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(client.ask(get("/next")).body, "GET /next ");
}

TEST_F(SessionTest, RefusesOtherExpectations) {
  Client client = connect();
  EXPECT_EQ(client.ask(post("Expect: tea\r\nContent-Length: 3\r\n", "abc")).status, 417);
  EXPECT_TRUE(client.closed());
}

TEST_F(SessionTest, RefusesALargeBodyAndStaysInStep) {
  Client client = connect();
  client.send(post("Content-Length: 1001\r\n", std::string(1001, 'x')) + get("/next"));
  Answer const refused = client.read();
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(refused.header("X-Head"), "known");
  EXPECT_EQ(refused.header("Connection"), "");
  EXPECT_EQ(client.read().body, "GET /next ");
}

TEST_F(SessionTest, RefusesAHugeBodyBeforeItComes) {
  Client client = connect();
  Answer const refused = client.ask(post("Content-Length: 100000000000\r\n", "the start"));
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(refused.header("Connection"), "close");
  EXPECT_TRUE(client.closed());
}

TEST_F(SessionTest, ADelayedReaderStillGetsTheRefusal) {
  Client client = connect();
  client.send(post("Content-Length: 8000000\r\n", ""));
  std::string const part(1'000'000, 'x');
  for (int i = 0; i < 8; ++i)
    EXPECT_TRUE(client.send(part));
  EXPECT_EQ(client.read().status, 413);
  client.shut_sending();
  EXPECT_TRUE(client.closed());
}

TEST_F(SessionTest, RefusesAChunkedBodyWhenItGrowsTooLarge) {
  Client client = connect();
  std::string const chunk = "1f4\r\n" + std::string(500, 'x') + "\r\n";
  client.send(post("Transfer-Encoding: chunked\r\n", chunk + chunk + chunk));
  Answer const refused = client.read();
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(refused.header("Connection"), "close");
}

TEST_F(SessionTest, TakesAChunkedBodyOfExactlyTheLimit) {
  Client client = connect();
  std::string const chunk = "1f4\r\n" + std::string(500, 'x') + "\r\n";
  client.send(post("Transfer-Encoding: chunked\r\n", chunk + chunk + "0\r\nA: b\r\n\r\n"));
  EXPECT_EQ(client.read().body, "POST /p " + std::string(1000, 'x'));
}

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
  pollfd answered{client.descriptor(), POLLIN, 0};
  int sent = 0;
  while (sent < 500 && ::poll(&answered, 1, 20) == 0) {
    client.send("x");
    ++sent;
  }
  EXPECT_LT(sent, 500);
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

TEST_F(SessionTest, RefusesSmugglingShapesAndCloses) {
  std::string const line = "POST / HTTP/1.1\r\n";
  for (std::string const& shape : {
           line + "Host: a\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
           line + "Host: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           line + "Host: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
           line + "Host: a\r\nContent-Length : 4\r\n\r\nabcd",
           line + "Host: a\r\nX: y\r\n Content-Length: 4\r\n\r\n",
           line + "Host: a\nContent-Length: 4\r\n\r\n",
           line + "Host: a\rContent-Length: 4\r\n\r\n",
           line + "\r\n",
           line + "Host: a\r\nHost: b\r\n\r\n",
           std::string("GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
           std::string("GET / HTTP/3.0\r\nHost: a\r\n\r\n"),
       }) {
    Client client = connect();
    client.send(shape + get("/smuggled"));
    Answer const answer = client.read();
    EXPECT_EQ(answer.status, 400) << shape;
    EXPECT_EQ(answer.header("X-Head"), "none") << shape;
    EXPECT_EQ(answer.header("Connection"), "close") << shape;
    EXPECT_TRUE(client.closed()) << shape;
  }
}

TEST_F(SessionTest, RefusesBrokenChunksAndCloses) {
  for (std::string const body : {"x\r\n", "3\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n"}) {
    Client client = connect();
    client.send(post("Transfer-Encoding: chunked\r\n", body) + get("/smuggled"));
    Answer const answer = client.read();
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_EQ(answer.header("X-Head"), "known") << body;
    EXPECT_TRUE(client.closed()) << body;
  }
}

TEST_F(SessionTest, RefusesLargeHeads) {
  options_.head_bytes_max = 8000;
  options_.target_bytes_max = 1000;
  options_.headers_max = 10;
  EXPECT_EQ(connect().ask(get("/" + std::string(1000, 'x'))).status, 414);
  EXPECT_EQ(connect().ask("GET /" + std::string(100'000, 'x')).status, 414);
  std::string const start = "GET / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(connect().ask(start + "A: " + std::string(8000, 'x') + "\r\n\r\n").status, 431);
  EXPECT_EQ(connect().ask(start + "A: " + std::string(1'000'000, 'x')).status, 431);
  std::string many = start;
  for (int i = 0; i < 10; ++i)
    many += "A: b\r\n";
  EXPECT_EQ(connect().ask(many + "\r\n").status, 431);
  EXPECT_EQ(connect().ask(get("/ok")).status, 200);
}

TEST_F(SessionTest, TurnsAnEscapedExceptionIntoAnAnswer) {
  Mailbox<std::string> reports;
  options_.report_bug = [&](std::string_view line) { reports.put(std::string(line)); };
  handler_.on_handle = [](Request& request) -> Reply {
    if (request.target == "/int") throw 7;
    throw std::runtime_error("broken");
  };
  Client client = connect();
  EXPECT_EQ(client.ask(get("/quick")).status, 500);
  EXPECT_EQ(client.ask(get("/pooled")).status, 500);
  EXPECT_EQ(client.ask(get("/int")).status, 500);
  EXPECT_EQ(reports.take(), "GET /quick: broken");
  EXPECT_EQ(reports.take(), "GET /pooled: broken");
  EXPECT_EQ(reports.take(), "GET /int: unknown exception");
}

TEST_F(SessionTest, RefusesWhenThePoolIsFullAndGoesOnAfterwards) {
  options_.api_threads = 1;
  options_.api_queue_max = 1;
  Mailbox<int> started;
  std::promise<void> go;
  std::shared_future<void> const gone = go.get_future().share();
  handler_.on_handle = [&](Request&) {
    started.put(1);
    gone.wait();
    return reply(200, "late");
  };
  Client first = connect();
  first.send(get("/"));
  EXPECT_TRUE(started.take());
  // Of the next two one waits in the queue and one is refused, whichever comes first.
  Client second = connect();
  Client third = connect();
  second.send(get("/"));
  third.send(get("/"));
  pollfd answered[]{{second.descriptor(), POLLIN, 0}, {third.descriptor(), POLLIN, 0}};
  EXPECT_EQ(::poll(answered, 2, 10'000), 1);
  Client& refused = (answered[0].revents != 0) ? second : third;
  Client& queued = (answered[0].revents != 0) ? third : second;
  Answer const refusal = refused.read();
  EXPECT_EQ(refusal.status, 503);
  EXPECT_EQ(refusal.header("Connection"), "");
  EXPECT_EQ(server_->figures().api_queue, 1U);
  go.set_value();
  EXPECT_EQ(first.read().body, "late");
  EXPECT_EQ(queued.read().body, "late");
  EXPECT_EQ(refused.ask(get("/")).body, "late");
}

TEST_F(SessionTest, SlowRoutesLeaveTheOthersTheirThreads) {
  options_.api_threads = 1;
  options_.slow_threads = 1;
  std::promise<void> go;
  std::shared_future<void> const gone = go.get_future().share();
  Mailbox<int> started;
  handler_.on_route = [](RequestHead const& head) {
    return Route{.body_bytes_max = 0, .slow = head.target == "/slow"};
  };
  handler_.on_handle = [&](Request& request) {
    if (request.target != "/slow") return reply(200, "soon");
    started.put(1);
    gone.wait();
    return reply(200, "late");
  };
  Client running = connect();
  running.send(get("/slow"));
  EXPECT_TRUE(started.take());
  Client queued = connect();
  queued.send(get("/slow"));
  EXPECT_EQ(connect().ask(get("/other")).body, "soon");
  go.set_value();
  EXPECT_EQ(running.read().body, "late");
  EXPECT_EQ(queued.read().body, "late");
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

TEST_F(SessionTest, CapsConnections) {
  options_.connections_max = 1;
  Client first = connect();
  EXPECT_EQ(first.ask(get("/")).status, 200);
  EXPECT_TRUE(connect().closed());
  EXPECT_EQ(first.ask(get("/")).status, 200);
  EXPECT_EQ(server_->figures().connections_open, 1U);
}

TEST_F(SessionTest, CutsIdleConnections) {
  options_.idle_timeout = 50ms;
  Client client = connect();
  EXPECT_EQ(client.ask(get("/")).status, 200);
  EXPECT_TRUE(client.closed());
}

TEST_F(SessionTest, CutsAConnectionThatNeverAsks) {
  options_.head_timeout = 50ms;
  EXPECT_TRUE(connect().closed());
}

TEST_F(SessionTest, CutsASlowHeadWithAnAnswer) {
  options_.head_timeout = 50ms;
  Client client = connect();
  Answer const answer = client.ask("GET / HTTP/1.1\r\nHo");
  EXPECT_EQ(answer.status, 408);
  EXPECT_EQ(answer.header("X-Head"), "none");
  EXPECT_TRUE(client.closed());
}

TEST_F(SessionTest, CutsABodyThatStops) {
  options_.body_timeout = 50ms;
  Client client = connect();
  Answer const answer = client.ask(post("Content-Length: 10\r\n", "abc"));
  EXPECT_EQ(answer.status, 408);
  EXPECT_EQ(answer.header("X-Head"), "known");
  EXPECT_TRUE(client.closed());
}

TEST_F(SessionTest, CutsABodyThatTrickles) {
  options_.body_timeout = 200ms;
  options_.body_bytes_per_second_min = 1'000'000;
  Client client = connect();
  client.send(post("Content-Length: 1000\r\n", ""));
  // One byte every 20 ms keeps the timeout away but not the minimum rate.
  pollfd answered{client.descriptor(), POLLIN, 0};
  int sent = 0;
  while (sent < 500 && ::poll(&answered, 1, 20) == 0) {
    client.send("x");
    ++sent;
  }
  EXPECT_LT(sent, 500);
  EXPECT_EQ(client.read().status, 408);
}

TEST_F(SessionTest, ForgetsAClientThatLeavesInABody) {
  Mailbox<int> handled;
  handler_.on_handle = [&](Request&) {
    handled.put(1);
    return reply(200, "");
  };
  Client client = connect();
  client.send(post("Content-Length: 10\r\n", "abc"));
  client.shut_sending();
  EXPECT_TRUE(client.closed());
  EXPECT_TRUE(handled.empty());
}

} // namespace
} // namespace vitrine::net::testing
