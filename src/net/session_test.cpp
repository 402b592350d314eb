#include "net/session_test.hpp"

#include <deque>
#include <future>
#include <tuple>

namespace vitrine::net::testing {
namespace {

using namespace std::chrono_literals;

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
  trickle(client);
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
