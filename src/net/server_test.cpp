#include "net/test_bytes.hpp"
#include "net/test_certificate.hpp"
#include "net/test_client.hpp"

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <future>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <thread>

namespace vitrine::net::testing {
namespace {

using namespace std::chrono_literals;

std::string const kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

TEST(Server, PicksAPortAndFreesIt) {
  TestHandler handler;
  auto server = start(local_options(), handler);
  std::uint16_t const port = server->port();
  EXPECT_GT(port, 0);
  EXPECT_EQ(Client(port).ask(kGet).status, 200);
  server.reset();
  ServerOptions again = local_options();
  again.port = port;
  EXPECT_EQ(Client(start(again, handler)->port()).ask(kGet).status, 200);
}

TEST(Server, RefusesASecondListener) {
  TestHandler handler;
  auto const server = start(local_options(), handler);
  ServerOptions second = local_options();
  second.port = server->port();
  auto const refused = Server::start(second, handler);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::unavailable);
  EXPECT_EQ(refused.error().detail, "cannot listen on 127.0.0.1 port " +
                                        std::to_string(second.port) + ": Address already in use");
}

TEST(Server, RefusesAPlaceItDoesNotHave) {
  TestHandler handler;
  for (std::string const host : {"192.0.2.1", "no such host"}) {
    ServerOptions options = local_options();
    options.host = host;
    EXPECT_FALSE(Server::start(options, handler)) << host;
  }
}

TEST(Server, ListensOnIpv6) {
  TestHandler handler;
  handler.on_handle = [](Request& request) { return reply(200, request.remote_address); };
  ServerOptions options = local_options();
  options.host = "::1";
  auto const server = start(options, handler);
  EXPECT_EQ(Client(server->port(), true).ask(kGet).body, "::1");
}

TEST(Server, ListensOnBothFamilies) {
  TestHandler handler;
  handler.on_handle = [](Request& request) { return reply(200, request.remote_address); };
  ServerOptions options = local_options();
  options.host = "::";
  auto const server = start(options, handler);
  EXPECT_EQ(Client(server->port(), true).ask(kGet).body, "::1");
  EXPECT_EQ(Client(server->port()).ask(kGet).body, "127.0.0.1");
}

TEST(Server, TellsWhatIsBoundHoweverItWasSpelt) {
  TestHandler handler;
  for (auto const& [given, told] : std::vector<std::pair<std::string, std::string>>{
           {"*", "0.0.0.0"},
           {"0", "0.0.0.0"},
           {"0x0.0", "0.0.0.0"},
           {"0:0:0:0:0:0:0:0", "::"},
           {"::ffff:0.0.0.0", "0.0.0.0"},
           {"127.1", "127.0.0.1"},
           {"0:0::1", "::1"},
           {"localhost", "localhost"},
       }) {
    ServerOptions options = local_options();
    options.host = given;
    auto const server = start(options, handler);
    ASSERT_TRUE(server) << given;
    EXPECT_EQ(server->host(), told) << given;
  }
}

TEST(Server, CountsConnectionsAndBytes) {
  TestHandler handler;
  auto const server = start(local_options(), handler);
  Client client(server->port());
  Answer const answer = client.ask(kGet);
  EXPECT_EQ(server->figures().connections_open, 1U);
  EXPECT_EQ(server->figures().connections_total, 1U);
  EXPECT_TRUE(server->drain(10s)); // bytes are counted a moment after they went
  EXPECT_EQ(server->figures().bytes_received, kGet.size());
  EXPECT_EQ(server->figures().bytes_sent, answer.head.size() + 2 + answer.body.size());
}

TEST(Server, ServesManyClientsAtOnce) {
  TestHandler handler;
  auto const server = start(local_options(), handler);
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      Client client(server->port());
      for (int n = 0; n < 50; ++n) {
        std::string const target = n % 2 == 0 ? "/quick" : "/pooled";
        if (client.ask("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n").status == 200) ++good;
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(good, 400);
}

TEST(ServerDrain, EndsIdleConnectionsAndTakesNoNewOnes) {
  TestHandler handler;
  auto const server = start(local_options(), handler);
  Client idle(server->port());
  EXPECT_EQ(idle.ask(kGet).status, 200);
  EXPECT_TRUE(server->drain(10s));
  EXPECT_TRUE(idle.closed());
  EXPECT_EQ(server->figures().connections_open, 0U);
  int const probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(server->port());
  EXPECT_NE(::connect(probe, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ::close(probe);
}

TEST(ServerDrain, LetsARunningRequestFinish) {
  TestHandler handler;
  Mailbox<int> started;
  std::promise<void> go;
  std::shared_future<void> const gone = go.get_future().share();
  handler.on_handle = [&](Request&) {
    started.put(1);
    gone.wait();
    return reply(200, "finished");
  };
  auto const server = start(local_options(), handler);
  Client client(server->port());
  client.send(kGet);
  EXPECT_TRUE(started.take());
  EXPECT_FALSE(server->drain(1ms));
  auto drained = std::async(std::launch::async, [&] { return server->drain(10s); });
  go.set_value();
  Answer const answer = client.read();
  EXPECT_EQ(answer.body, "finished");
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_TRUE(client.closed());
  EXPECT_TRUE(drained.get());
}

class CountingSink final : public BodySink {
public:
  explicit CountingSink(Mailbox<std::size_t>& taken) : taken_(taken) {}
  Block block() override { return pool_.take(); }
  Result<> accept(Block bytes) override {
    taken_.put(bytes.size());
    return {};
  }
  Reply finish() override { return reply(204, ""); }
  Reply refuse(Error const&) override { return reply(500, ""); }
  void abandon(Error const&) override {}

private:
  Mailbox<std::size_t>& taken_;
  BlockPool pool_;
};

TEST(ServerDrain, LetsARunningUploadFinish) {
  TestHandler handler;
  Mailbox<std::size_t> taken;
  handler.on_route = [](RequestHead const&) { return Route{.body_bytes_max = 0, .upload = true}; };
  handler.on_begin = [&](RequestHead const&) { return std::make_unique<CountingSink>(taken); };
  ServerOptions options = local_options();
  options.transfer_chunk_bytes = 10;
  auto const server = start(options, handler);
  Client client(server->port());
  client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n0123456789");
  EXPECT_EQ(taken.take(), 10U);
  auto drained = std::async(std::launch::async, [&] { return server->drain(10s); });
  EXPECT_EQ(drained.wait_for(20ms), std::future_status::timeout);
  client.send("0123456789");
  Answer const answer = client.read();
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_TRUE(drained.get());
}

/// Speaks TLS over a Client's socket.
class TlsClient {
public:
  explicit TlsClient(std::uint16_t port, int version_max = TLS1_3_VERSION) : client_(port) {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_max_proto_version(context_.get(), version_max);
    SSL_CTX_set_security_level(context_.get(), 0); // lets the test offer old versions at all
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), client_.descriptor());
    connected_ = SSL_connect(ssl_.get()) == 1;
  }

  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] std::string server_name() const {
    std::unique_ptr<X509, decltype(&X509_free)> const peer(SSL_get1_peer_certificate(ssl_.get()),
                                                           X509_free);
    std::array<char, 100> name{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(peer.get()), NID_commonName, name.data(),
                              name.size());
    return name.data();
  }
  bool send(std::string_view bytes) {
    return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) ==
           static_cast<int>(bytes.size());
  }
  /// Bytes until `size` are there or the server ends; `ended` tells a clean end.
  std::string read(std::size_t size) {
    std::string bytes;
    std::array<char, 16384> part{};
    while (bytes.size() < size) {
      int const got = SSL_read(ssl_.get(), part.data(), part.size());
      if (got <= 0) {
        ended_ = SSL_get_error(ssl_.get(), got) == SSL_ERROR_ZERO_RETURN;
        break;
      }
      bytes.append(part.data(), static_cast<std::size_t>(got));
    }
    return bytes;
  }
  [[nodiscard]] bool ended() const { return ended_; }

private:
  Client client_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{nullptr, SSL_CTX_free};
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};
  bool connected_{false};
  bool ended_{false};
};

class TlsTest : public ::testing::Test {
protected:
  TlsTest() {
    std::string place = (std::filesystem::temp_directory_path() / "vitrine-tls-XXXXXX").string();
    folder_ = ::mkdtemp(place.data());
    Certificate const first(folder_, "first");
    options_.certificate_file = folder_ / "cert.pem";
    options_.key_file = folder_ / "key.pem";
  }
  ~TlsTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
  TestHandler handler_;
  ServerOptions options_ = local_options();
};

std::string const kClose = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

TEST_F(TlsTest, AnswersAndSaysGoodbye) {
  handler_.on_handle = [](Request& request) { return reply(200, request.tls ? "tls" : "plain"); };
  auto const server = start(options_, handler_);
  for (int const version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client(server->port(), version);
    ASSERT_TRUE(client.connected());
    EXPECT_TRUE(client.send(kGet + kClose));
    std::string const answers = client.read(1U << 20U);
    EXPECT_EQ(answers.substr(answers.size() - 3), "tls");
    EXPECT_TRUE(client.ended());
  }
}

TEST_F(TlsTest, RefusesOldVersions) {
  auto const server = start(options_, handler_);
  EXPECT_FALSE(TlsClient(server->port(), TLS1_1_VERSION).connected());
}

TEST_F(TlsTest, ClosesOnWhatIsNotTls) {
  auto const server = start(options_, handler_);
  Client plain(server->port());
  plain.send(kGet);
  plain.read();
  EXPECT_TRUE(plain.closed());
  TlsClient client(server->port());
  EXPECT_TRUE(client.connected());
}

TEST_F(TlsTest, ReloadsTheCertificate) {
  auto const server = start(options_, handler_);
  TlsClient before(server->port());
  EXPECT_EQ(before.server_name(), "first");
  Certificate const second(folder_, "second");
  EXPECT_TRUE(server->reload_certificate());
  EXPECT_EQ(TlsClient(server->port()).server_name(), "second");

  std::ofstream(folder_ / "cert.pem") << "not a certificate";
  auto const refused = server->reload_certificate();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::unavailable);
  EXPECT_NE(refused.error().detail.find((folder_ / "cert.pem").string()), std::string::npos);
  EXPECT_EQ(TlsClient(server->port()).server_name(), "second");
  EXPECT_TRUE(before.send(kClose));
  EXPECT_NE(before.read(1U << 20U).find("200 OK"), std::string::npos);
}

TEST_F(TlsTest, DoesNotStartWithoutItsFiles) {
  std::filesystem::remove(folder_ / "key.pem");
  auto const refused = Server::start(options_, handler_);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().detail.find("key.pem"), std::string::npos);
}

TEST_F(TlsTest, MovesLargeBodiesBothWays) {
  std::string const content(3'000'000, 'x');
  Mailbox<std::size_t> taken;
  handler_.on_route = [](RequestHead const& head) {
    return Route{.body_bytes_max = 0, .upload = head.method == "PUT"};
  };
  handler_.on_begin = [&](RequestHead const&) { return std::make_unique<CountingSink>(taken); };
  std::string const path = folder_ / "content";
  std::ofstream(path) << content;
  handler_.on_handle = [&](Request&) {
    Reply answer;
    answer.data.emplace(
        std::make_unique<FileBytes>(::open(path.c_str(), O_RDONLY | O_CLOEXEC), content.size()));
    return answer;
  };
  auto const server = start(options_, handler_);
  TlsClient client(server->port());
  EXPECT_TRUE(
      client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n" + content));
  EXPECT_TRUE(client.send(kClose));
  std::string const answers = client.read(10'000'000);
  EXPECT_TRUE(answers.starts_with("HTTP/1.1 204 No Content\r\n"));
  EXPECT_TRUE(answers.ends_with("\r\n\r\n" + content));
  std::size_t sum = 0;
  while (!taken.empty())
    sum += *taken.take();
  EXPECT_EQ(sum, content.size());
}

} // namespace
} // namespace vitrine::net::testing
