#include "net/test_bytes.hpp"
#include "net/test_client.hpp"

#include <fcntl.h>
#include <future>
#include <sys/mman.h>

namespace vitrine::net::testing {
namespace {

using namespace std::chrono_literals;

std::string put(std::string const& headers) {
  return "PUT /up HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n";
}

std::string const kNext = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";

/// A body in which each position shows.
std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<char>((i * 31 + i / 251) % 256);
  return bytes;
}

std::string chunked(std::string_view body, std::size_t chunk_bytes) {
  std::string framed;
  for (std::size_t at = 0; at < body.size(); at += chunk_bytes) {
    std::string_view const part = body.substr(at, chunk_bytes);
    std::array<char, 20> size{};
    auto const end = std::to_chars(size.data(), size.data() + size.size(), part.size(), 16).ptr;
    framed.append(size.data(), end).append("\r\n").append(part).append("\r\n");
  }
  return framed + "0\r\n\r\n";
}

/// What a sink was told, in order: "finish", "refuse", "abandon: REASON", "destroyed".
struct Record {
  BlockPool pool;
  std::string bytes;
  Mailbox<std::string> events;
  std::function<Result<>(std::string const&)> on_accept = [](std::string const&) -> Result<> {
    return {};
  };
  std::function<Result<bool>()> on_step = [] { return false; };
  std::optional<std::chrono::steady_clock::time_point> deadline;
};

class RecordingSink final : public BodySink {
public:
  explicit RecordingSink(Record& record) : record_(record) {}
  ~RecordingSink() override { record_.events.put("destroyed"); }
  Block block() override { return record_.pool.take(); }
  Result<> accept(Block bytes) override {
    record_.bytes.append(reinterpret_cast<char const*>(bytes.bytes().data()), bytes.size());
    return record_.on_accept(record_.bytes);
  }
  [[nodiscard]] Result<std::chrono::steady_clock::duration> time_left() const override {
    if (!record_.deadline) return BodySink::time_left();
    auto const left = *record_.deadline - std::chrono::steady_clock::now();
    if (left > 0s) return left;
    return error(Fault::invalid_body, "late");
  }
  Result<bool> go_on() override { return record_.on_step(); }
  Reply finish() override {
    record_.events.put("finish");
    return reply(204, "");
  }
  Reply refuse(Error const& failure) override {
    record_.events.put("refuse");
    return reply(409, failure.detail);
  }
  void abandon(Error const& failure) override { record_.events.put("abandon: " + failure.detail); }

private:
  Record& record_;
};

class TransferTest : public ::testing::Test {
protected:
  TransferTest() {
    handler_.on_route = [](RequestHead const& head) {
      return Route{.body_bytes_max = 100, .upload = head.target == "/up", .quick = false};
    };
    handler_.on_begin = [this](RequestHead const&) -> TestHandler::Opened {
      return std::make_unique<RecordingSink>(record_);
    };
    options_.transfer_chunk_bytes = 16U << 10U;
  }
  ~TransferTest() override { server_.reset(); }

  Client connect() {
    if (!server_) server_ = start(options_, handler_);
    return Client(server_->port());
  }
  void expect_events(std::vector<std::string> const& events) {
    for (std::string const& event : events)
      EXPECT_EQ(record_.events.take(), event);
    server_.reset();
    EXPECT_TRUE(record_.events.empty());
  }

  Record record_;
  TestHandler handler_;
  ServerOptions options_ = local_options();
  std::unique_ptr<Server> server_;
};

TEST_F(TransferTest, TakesABodyOfKnownLength) {
  std::string const body = pattern(5'000'001);
  Client client = connect();
  client.send(put("Content-Length: 5000001\r\n") + body + kNext);
  EXPECT_EQ(client.read().status, 204);
  EXPECT_EQ(client.read().body, "GET /next ");
  EXPECT_TRUE(record_.bytes == body);
  expect_events({"finish", "destroyed"});
}

TEST_F(TransferTest, OfHttp10NeedsALength) {
  std::string const line = "PUT /up HTTP/1.0\r\nConnection: keep-alive\r\n";
  Client client = connect();
  client.send(line + "\r\nthe data");
  EXPECT_EQ(client.read().status, 411);
  client.shut_sending();
  EXPECT_TRUE(client.closed());
  EXPECT_TRUE(record_.events.empty());

  EXPECT_EQ(connect().ask(line + "Content-Length: 3\r\n\r\nabc").status, 204);
  EXPECT_EQ(record_.bytes, "abc");
  EXPECT_EQ(connect().ask(line + "Content-Length: 0\r\n\r\n").status, 204);
  EXPECT_EQ(connect().ask("PUT /up HTTP/1.1\r\nHost: a\r\n\r\n").status, 204);
  EXPECT_EQ(record_.bytes, "abc");
}

TEST_F(TransferTest, TakesAChunkedBody) {
  std::string const body = pattern(1'000'001);
  for (std::size_t const chunk_bytes : {1'000'001, 16384, 1000, 7}) {
    record_.bytes.clear();
    Client client = connect();
    client.send(put("Transfer-Encoding: chunked\r\n") + chunked(body, chunk_bytes) + kNext);
    EXPECT_EQ(client.read().status, 204);
    EXPECT_EQ(client.read().body, "GET /next ");
    EXPECT_TRUE(record_.bytes == body) << chunk_bytes;
  }
}

TEST_F(TransferTest, TakesAnEmptyBody) {
  for (std::string const headers : {"", "Content-Length: 0\r\n"}) {
    Client client = connect();
    EXPECT_EQ(client.ask(put(headers)).status, 204);
  }
  Client client = connect();
  EXPECT_EQ(client.ask(put("Transfer-Encoding: chunked\r\n") + "0\r\n\r\n").status, 204);
  EXPECT_EQ(client.ask(kNext).body, "GET /next ");
  EXPECT_EQ(record_.bytes, "");
}

TEST_F(TransferTest, SendsContinueOnceTheSinkIsOpen) {
  Client client = connect();
  EXPECT_EQ(client.ask(put("Expect: 100-continue\r\nContent-Length: 3\r\n")).status, 100);
  EXPECT_EQ(client.ask("abc").status, 204);
  EXPECT_EQ(client.ask(kNext).status, 200);
}

TEST_F(TransferTest, SendsNoContinueWhenTheUploadIsRefused) {
  handler_.on_begin = [](RequestHead const&) { return reply(409, "queued only"); };
  Client client = connect();
  Answer const answer = client.ask(put("Expect: 100-continue\r\nContent-Length: 3\r\n"));
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_TRUE(client.closed());
}

TEST_F(TransferTest, AnEarlyAnswerReachesAClientThatSendsOn) {
  handler_.on_begin = [](RequestHead const&) { return reply(409, "queued only"); };
  std::string const body = pattern(8'000'000);
  for (std::string const framing :
       {"Content-Length: 8000000\r\n", "Transfer-Encoding: chunked\r\n"}) {
    Client client = connect();
    bool const is_chunked = framing.starts_with("T");
    EXPECT_TRUE(client.send(put(framing) + (is_chunked ? chunked(body, 100'000) : body)));
    Answer const answer = client.read();
    EXPECT_EQ(answer.status, 409);
    EXPECT_EQ(answer.body, "queued only");
    client.shut_sending();
    EXPECT_TRUE(client.closed());
  }
}

TEST_F(TransferTest, AnEarlyAnswerToASmallBodyKeepsTheConnection) {
  handler_.on_begin = [](RequestHead const&) { return reply(404, "none"); };
  Client client = connect();
  client.send(put("Content-Length: 5\r\n") + "hello" + kNext);
  EXPECT_EQ(client.read().status, 404);
  EXPECT_EQ(client.read().body, "GET /next ");
}

TEST_F(TransferTest, TheSinkTakesAsManyStepsAsItNeedsOnceAllIsThere) {
  int left = 3;
  record_.on_step = [&]() -> Result<bool> {
    EXPECT_EQ(record_.bytes, "abc");
    record_.events.put("step");
    return --left > 0;
  };
  Client client = connect();
  EXPECT_EQ(client.ask(put("Content-Length: 3\r\n") + "abc").status, 204);
  EXPECT_EQ(client.ask(kNext).body, "GET /next ");
  expect_events({"step", "step", "step", "finish", "destroyed"});
}

TEST_F(TransferTest, AStepThatFailsRefusesTheUpload) {
  record_.on_step = []() -> Result<bool> { return error(Fault::store_full, "no room"); };
  Client client = connect();
  Answer const answer = client.ask(put("Content-Length: 3\r\n") + "abc");
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.body, "no room");
  EXPECT_EQ(client.ask(kNext).body, "GET /next "); // all of the body was read
  expect_events({"refuse", "destroyed"});
}

TEST_F(TransferTest, NoStepIsTakenForABodyThatWasCut) {
  record_.on_step = [this]() -> Result<bool> {
    record_.events.put("step");
    return false;
  };
  {
    Client client = connect();
    client.send(put("Content-Length: 4\r\n") + "abc");
  }
  EXPECT_EQ(record_.events.take(), "abandon: the client left");
  expect_events({"destroyed"});
}

TEST_F(TransferTest, AServerThatStopsWaitsForOneStepOnly) {
  std::promise<void> first;
  record_.on_step = [&, told = false]() mutable -> Result<bool> {
    if (!told) first.set_value();
    told = true;
    return true; // for ever
  };
  Client client = connect();
  client.send(put("Content-Length: 3\r\n") + "abc");
  first.get_future().wait();
  server_.reset();
  EXPECT_EQ(record_.events.take(), "abandon: the server stops");
  expect_events({"destroyed"});
}

TEST_F(TransferTest, ReadsNoFasterThanTheSinkStores) {
  std::promise<void> go;
  std::shared_future<void> const gone = go.get_future().share();
  record_.on_accept = [gone](std::string const&) -> Result<> {
    gone.wait();
    return {};
  };
  std::string const body = pattern(64U << 20U);
  Client client = connect();
  client.send(put("Content-Length: " + std::to_string(body.size()) + "\r\n"));
  std::size_t sent = 0;
  while (sent < body.size() && !client.blocked()) {
    ssize_t const part = ::send(client.descriptor(), body.data() + sent, body.size() - sent,
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (part > 0) sent += static_cast<std::size_t>(part);
  }
  EXPECT_LT(sent, body.size());
  // The head, what came with it, and two chunks: one being stored, one being filled.
  EXPECT_LE(server_->figures().bytes_received, 2 * options_.transfer_chunk_bytes + 8192);
  go.set_value();
  EXPECT_TRUE(client.send(std::string_view(body).substr(sent)));
  EXPECT_EQ(client.read().status, 204);
  EXPECT_TRUE(record_.bytes == body);
}

TEST_F(TransferTest, AbandonsOnceWhenTheClientLeaves) {
  for (std::string const framing :
       {"Content-Length: 100000\r\n", "Transfer-Encoding: chunked\r\n"}) {
    Client client = connect();
    client.send(put(framing) + (framing.starts_with("T") ? "ffff\r\n" : "") + pattern(40'000));
    client.shut_sending();
    EXPECT_TRUE(client.closed());
    expect_events({"abandon: the client left", "destroyed"});
  }
}

TEST_F(TransferTest, AbandonsOnceWhenTheConnectionIsReset) {
  Mailbox<int> arrived;
  record_.on_accept = [&](std::string const&) -> Result<> {
    arrived.put(1);
    return {};
  };
  Client client = connect();
  client.send(put("Content-Length: 100000\r\n") + pattern(40'000));
  EXPECT_TRUE(arrived.take());
  client.reset();
  expect_events({"abandon: the client left", "destroyed"});
}

TEST_F(TransferTest, AbandonsAnUploadThatStops) {
  options_.body_timeout = 50ms;
  Client client = connect();
  EXPECT_EQ(client.ask(put("Content-Length: 100000\r\n") + pattern(1000)).status, 408);
  EXPECT_TRUE(client.closed());
  expect_events({"abandon: the client was too slow", "destroyed"});
}

// The time was looked at when a block was full, which takes such a client days.
TEST_F(TransferTest, RefusesAnUploadThatTricklesOnceItsTimeIsOver) {
  record_.deadline = std::chrono::steady_clock::now() + 200ms;
  Client client = connect();
  client.send(put("Content-Length: 1000\r\n"));
  trickle(client);
  Answer const answer = client.read();
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.body, "late");
  EXPECT_TRUE(client.closed());
  expect_events({"refuse", "destroyed"});
}

TEST_F(TransferTest, DoesNotBlameTheClientForASlowSink) {
  options_.body_timeout = 100ms;
  options_.body_bytes_per_second_min = 10'000'000;
  std::promise<void> go;
  std::shared_future<void> const gone = go.get_future().share();
  record_.on_accept = [gone](std::string const&) -> Result<> {
    gone.wait();
    return {};
  };
  Client client = connect();
  client.send(put("Content-Length: 40000\r\n") + pattern(40'000));
  // The sink holds on for several sweeps and longer than the timeout of the body.
  EXPECT_TRUE(client.send("") && std::future_status::timeout == gone.wait_for(300ms));
  go.set_value();
  EXPECT_EQ(client.read().status, 204);
}

TEST_F(TransferTest, AbandonsOnBrokenChunks) {
  Client client = connect();
  EXPECT_EQ(client.ask(put("Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\nzz").status, 400);
  EXPECT_TRUE(client.closed());
  expect_events({"abandon: the chunk framing of the body is broken", "destroyed"});
}

TEST_F(TransferTest, AnswersAFailureOfTheSinkAtOnce) {
  record_.on_accept = [](std::string const&) -> Result<> {
    return error(Fault::store_full, "full");
  };
  Client client = connect();
  // One chunk comes, then nothing: the answer must not wait for more.
  Answer const answer = client.ask(put("Content-Length: 1000000\r\n") + pattern(17'000));
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.body, "full");
  EXPECT_EQ(answer.header("Connection"), "close");
  client.shut_sending();
  EXPECT_TRUE(client.closed());
  expect_events({"refuse", "destroyed"});
}

TEST_F(TransferTest, AFailureAtTheLastBytesIsAnsweredToo) {
  record_.on_accept = [](std::string const&) -> Result<> {
    return error(Fault::store_full, "full");
  };
  Client client = connect();
  EXPECT_EQ(client.ask(put("Content-Length: 10\r\n") + pattern(10)).status, 409);
  EXPECT_EQ(client.ask(kNext).status, 200);
}

TEST_F(TransferTest, ASinkThatThrowsIsAnInternalError) {
  record_.on_accept = [](std::string const&) -> Result<> { throw std::runtime_error("bug"); };
  Client client = connect();
  EXPECT_EQ(client.ask(put("Content-Length: 10\r\n") + pattern(10)).status, 500);
  expect_events({"abandon: an internal error", "destroyed"});
}

TEST_F(TransferTest, AHandlerThatThrowsIsAnInternalError) {
  handler_.on_begin = [](RequestHead const&) -> TestHandler::Opened {
    throw std::runtime_error("bug");
  };
  EXPECT_EQ(connect().ask(put("Content-Length: 10\r\n") + pattern(10)).status, 500);
  handler_.on_begin = [](RequestHead const&) { return std::unique_ptr<BodySink>(); };
  EXPECT_EQ(connect().ask(put("Content-Length: 10\r\n") + pattern(10)).status, 500);
}

TEST_F(TransferTest, EndsUploadsWithTheServer) {
  Mailbox<int> arrived;
  record_.on_accept = [&](std::string const&) -> Result<> {
    arrived.put(1);
    return {};
  };
  Client client = connect();
  client.send(put("Content-Length: 100000\r\n") + pattern(20'000));
  EXPECT_TRUE(arrived.take());
  server_.reset();
  EXPECT_TRUE(client.closed());
  expect_events({"abandon: the server stops", "destroyed"});
}

class DownloadTest : public TransferTest {
protected:
  DownloadTest() : content_(pattern(30'000'000)) {
    file_ = ::memfd_create("content", MFD_CLOEXEC);
    EXPECT_EQ(::write(file_, content_.data(), content_.size()),
              static_cast<ssize_t>(content_.size()));
    handler_.on_handle = [this](Request& request) {
      Reply answer;
      if (request.target == "/next") return reply(200, "GET /next ");
      bool const part = request.header("range").has_value();
      int const descriptor = ::fcntl(file_, F_DUPFD_CLOEXEC, 0);
      answer.data.emplace(std::make_unique<FileBytes>(descriptor, content_.size() + excess_, way_));
      if (part) {
        answer.status = 206;
        answer.data->narrow(1'000'003, 5'000'000);
      }
      return answer;
    };
  }
  ~DownloadTest() override {
    server_.reset();
    ::close(file_);
  }

  std::string content_;
  std::size_t excess_{0};
  FileBytes::Way way_{FileBytes::Way::sendfile};
  int file_{-1};
};

std::string const kWhole = "GET /file HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_F(DownloadTest, SendsAFileAndGoesOn) {
  Client client = connect();
  client.send(kWhole + kNext);
  Answer const answer = client.read();
  EXPECT_EQ(answer.header("Content-Length"), "30000000");
  EXPECT_TRUE(answer.body == content_);
  EXPECT_EQ(client.read().body, "GET /next ");
}

TEST_F(DownloadTest, SendsARange) {
  Client client = connect();
  Answer const answer = client.ask("GET /file HTTP/1.1\r\nHost: a\r\nRange: x\r\n\r\n");
  EXPECT_EQ(answer.status, 206);
  EXPECT_TRUE(answer.body == content_.substr(1'000'003, 5'000'000));
}

TEST_F(DownloadTest, SendsWhatIsNoFile) {
  way_ = FileBytes::Way::read;
  Client client = connect();
  EXPECT_TRUE(client.ask(kWhole).body == content_);
  Answer const part = client.ask("GET /file HTTP/1.1\r\nHost: a\r\nRange: x\r\n\r\n");
  EXPECT_TRUE(part.body == content_.substr(1'000'003, 5'000'000));
  EXPECT_EQ(client.ask(kNext).body, "GET /next ");
}

TEST_F(DownloadTest, AReadThatFailsClosesTheConnection) {
  way_ = FileBytes::Way::read;
  excess_ = 10;
  Client client = connect();
  Answer const answer = client.ask(kWhole);
  EXPECT_EQ(answer.body.size(),
            content_.size()); // the last read of ten bytes is the one that fails
  EXPECT_TRUE(client.closed());
}

TEST_F(DownloadTest, AnswersHeadWithTheLengthOfTheFile) {
  Client client = connect();
  client.send("HEAD /file HTTP/1.1\r\nHost: a\r\n\r\n" + kNext);
  EXPECT_EQ(client.read(true).header("Content-Length"), "30000000");
  EXPECT_EQ(client.read().body, "GET /next ");
}

TEST_F(DownloadTest, ASlowReaderHoldsNobodyUp) {
  options_.io_threads = 1;
  options_.transfer_threads = 1;
  Client slow = connect();
  slow.take_little();
  slow.send(kWhole);
  Client other = connect();
  Answer const answer = other.ask(kWhole);
  EXPECT_TRUE(answer.body == content_);
  EXPECT_EQ(other.ask(kNext).status, 200);
  EXPECT_TRUE(slow.read().body == content_);
}

TEST_F(DownloadTest, CutsAReaderThatStops) {
  options_.body_timeout = 50ms;
  Client client = connect();
  client.take_little();
  client.send(kWhole);
  Client other = connect();
  do {
    ASSERT_EQ(other.ask(kNext).status, 200);
  } while (server_->figures().connections_open > 1);
  EXPECT_LT(client.read().body.size(), content_.size());
}

TEST_F(DownloadTest, ForgetsAClientThatLeaves) {
  Client client = connect();
  client.send(kWhole);
  client.reset();
  Client other = connect();
  do {
    ASSERT_EQ(other.ask(kNext).status, 200);
  } while (server_->figures().connections_open > 1);
}

TEST_F(DownloadTest, AFileThatShrankClosesTheConnection) {
  excess_ = 10;
  Client client = connect();
  Answer const answer = client.ask(kWhole);
  EXPECT_EQ(answer.body.size(), content_.size());
  EXPECT_TRUE(client.closed());
}

} // namespace
} // namespace vitrine::net::testing
