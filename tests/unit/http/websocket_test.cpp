// WebSockets and the HTTP client, against the real server on loopback, in the clear, under TLS and on a Unix
// socket.
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/unit/http/loopback.hpp"
#include "tunnelmgr/http/client.hpp"
#include "tunnelmgr/secure/tls_context.hpp"

namespace hearthcast::http {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class ClientServerTest : public testing::Test {
 protected:
  void SetUp() override {
    server.emplace(io, log, [](const Request& request, const Responder& responder) {
      responder.send(Response::text(200, request.method + " " + request.path + " " + request.body));
    });
    server->on_websocket("/ws", [this](const Request&, std::shared_ptr<WebSocket> socket) {
      socket->on_text([this, weak = std::weak_ptr(socket)](const std::string& text) {
        heard.push_back(text);
        if (const auto s = weak.lock()) {
          s->send("echo " + text);
        }
      });
      socket->on_close([this](const std::string&) { ++closed; });
      sockets.push_back(std::move(socket));
    });
    const auto plain = server->listen_tcp(*Endpoint::parse("127.0.0.1:0"));
    const auto secured =
        server->listen_tcp(*Endpoint::parse("127.0.0.1:0"), *secure::TlsContext::server(identity));
    ASSERT_TRUE(plain && secured);
    plain_port = plain->port;
    tls_port = secured->port;
  }
  Target target(const std::string& scheme, const std::string& path,
                std::shared_ptr<secure::TlsContext> tls = nullptr) {
    const bool secured = scheme == "https" || scheme == "wss";
    return {*Url::parse(scheme + "://127.0.0.1:" + std::to_string(secured ? tls_port : plain_port) + path),
            {},
            std::move(tls)};
  }
  Result<Response, ClientFailure> ask(ClientRequest to_send) {
    std::optional<Result<Response, ClientFailure>> got;
    request(io, std::move(to_send), [&](Result<Response, ClientFailure> result) { got = std::move(result); });
    EXPECT_TRUE(turn_until(io, [&] { return got.has_value(); }));
    return std::move(*got);
  }
  Result<std::shared_ptr<WebSocket>, ClientFailure> dial(Target to) {
    std::optional<Result<std::shared_ptr<WebSocket>, ClientFailure>> got;
    connect_websocket(io, std::move(to), [&](auto result) { got = std::move(result); });
    EXPECT_TRUE(turn_until(io, [&] { return got.has_value(); }));
    return std::move(*got);
  }
  std::shared_ptr<secure::TlsContext> pinned(const Sha256& pin) {
    return *secure::TlsContext::pinned_client(pin);
  }

  boost::asio::io_context io;
  QuietLog log;
  secure::OpenSslIdentity identity = secure::make_identity();
  std::vector<std::string> heard;
  std::vector<std::shared_ptr<WebSocket>> sockets;
  int closed = 0;
  std::optional<Server> server;
  std::uint16_t plain_port = 0;
  std::uint16_t tls_port = 0;
};

TEST_F(ClientServerTest, AsksInTheClearAndUnderAPinnedKey) {
  ClientRequest plain{target("http", "/a?b=c"), "POST", {}, "body", 15s, 1000};
  const auto answer = ask(plain);
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(answer->body, "POST /a body");
  EXPECT_THAT(std::string(answer->headers.get("content-type")), HasSubstr("text/plain"));
  ClientRequest secured;
  secured.to = target("https", "/tls", pinned(identity.id().digest));
  EXPECT_EQ(ask(secured)->body, "GET /tls ");
  secured.method = "HEAD";
  EXPECT_EQ(ask(secured)->body, "");
}

TEST_F(ClientServerTest, AnotherKeyThanThePinIsRefused) {
  ClientRequest r;
  r.to = target("https", "/", pinned(Sha256{{1}}));
  const auto answer = ask(r);
  ASSERT_FALSE(answer);
  EXPECT_FALSE(answer.error().connected);
  EXPECT_THAT(answer.error().text, HasSubstr("another key"));
  EXPECT_EQ(server->counters().requests, 0U);
  // The system's authorities do not know a self-signed key either.
  r.to.tls = *secure::TlsContext::webpki_client();
  EXPECT_FALSE(ask(r));
  r.to.tls = nullptr;
  EXPECT_THAT(ask(r).error().text, HasSubstr("no TLS context"));
}

TEST_F(ClientServerTest, SaysWhyNobodyAnswers) {
  ClientRequest r;
  r.to.url = *Url::parse("http://127.0.0.1:1/");
  EXPECT_THAT(ask(r).error().text, HasSubstr("cannot connect to 127.0.0.1:1"));
  r.to.unix_path = "/nonexistent.sock";
  EXPECT_THAT(request_and_wait(r).error().text, HasSubstr("/nonexistent.sock"));
  r.to.unix_path = std::string(200, 'x');
  EXPECT_FALSE(ask(r));
}

TEST_F(ClientServerTest, GivesUpOnASilentServer) {
  server->stop();
  std::optional<Responder> held;
  Server mute(io, log, [&](const Request&, Responder responder) { held = std::move(responder); });
  const auto bound = mute.listen_tcp(*Endpoint::parse("127.0.0.1:0"));
  ClientRequest r;
  r.to.url = *Url::parse("http://127.0.0.1:" + std::to_string(bound->port) + "/");
  r.timeout = 100ms;
  EXPECT_EQ(ask(r).error().text, "no answer in time");
}

TEST_F(ClientServerTest, AnAnswerLargerThanAskedForIsAFailure) {
  ClientRequest r{target("http", "/"), "POST", {}, std::string(5000, 'x'), 15s, 1000};
  EXPECT_FALSE(ask(r));
}

TEST_F(ClientServerTest, TalksOverAUnixSocket) {
  const std::string path = testing::TempDir() + "hearthcast-http-client-test.sock";
  ASSERT_TRUE(server->listen_unix(path, 0600));
  ClientRequest r;
  r.to.unix_path = path;
  r.to.url.target = "/status";
  EXPECT_EQ(ask(r)->body, "GET /status ");
}

TEST_F(ClientServerTest, WebSocketsCarryTextBothWays) {
  for (const char* scheme : {"ws", "wss"}) {
    auto socket = dial(target(scheme, "/ws", pinned(identity.id().digest)));
    ASSERT_TRUE(socket) << socket.error().text;
    EXPECT_EQ((*socket)->peer_key().has_value(), std::string(scheme) == "wss");
    if ((*socket)->peer_key()) {
      EXPECT_EQ((*socket)->peer_key(), identity.id().digest);
    }
    std::vector<std::string> got;
    std::string reason;
    (*socket)->on_text([&](std::string text) { got.push_back(std::move(text)); });
    (*socket)->on_close([&](std::string why) { reason = std::move(why); });
    const std::string large(60000, 'x');
    EXPECT_TRUE((*socket)->send("one"));
    EXPECT_TRUE((*socket)->send(large));
    ASSERT_TRUE(turn_until(io, [&] { return got.size() == 2; }));
    EXPECT_EQ(got[0], "echo one");
    EXPECT_EQ(got[1], "echo " + large);
    (*socket)->close("bye");
    ASSERT_TRUE(turn_until(io, [&] { return !reason.empty(); }));
    EXPECT_FALSE((*socket)->send("late"));
    ASSERT_TRUE(turn_until(io, [&] { return closed == 1; }));
    closed = 0;
    sockets.clear();
  }
}

TEST_F(ClientServerTest, TheReasonOfAClosingServerArrives) {
  auto socket = dial(target("ws", "/ws"));
  ASSERT_TRUE(socket);
  std::string reason;
  std::vector<std::string> got;
  (*socket)->on_text([&](std::string text) { got.push_back(std::move(text)); });
  (*socket)->on_close([&](std::string why) { reason = std::move(why); });
  ASSERT_TRUE(turn_until(io, [&] { return sockets.size() == 1; }));
  sockets[0]->send("last words");
  sockets[0]->close("replaced");
  ASSERT_TRUE(turn_until(io, [&] { return !reason.empty(); }));
  EXPECT_EQ(reason, "replaced");
  EXPECT_THAT(got, testing::ElementsAre("last words"));
}

TEST_F(ClientServerTest, OversizedMessagesEndTheConnection) {
  auto socket = dial(target("ws", "/ws"));
  ASSERT_TRUE(socket);
  bool over = false;
  (*socket)->on_close([&](const std::string&) { over = true; });
  EXPECT_TRUE((*socket)->send(std::string(kMaxWebSocketMessage + 1, 'x')));
  EXPECT_TRUE(turn_until(io, [&] { return over && closed == 1; }));
  EXPECT_THAT(heard, testing::IsEmpty());
}

TEST_F(ClientServerTest, AQueueThatDoesNotDrainIsCut) {
  auto socket = dial(target("ws", "/ws"));
  ASSERT_TRUE(socket);
  bool over = false;
  (*socket)->on_close([&](const std::string&) { over = true; });
  const std::string chunk(60000, 'x');
  int accepted = 0;
  while (accepted < 100 && (*socket)->send(chunk)) {  // without turning the loop nothing is written
    ++accepted;
  }
  EXPECT_LT(accepted, 6);
  EXPECT_TRUE(turn_until(io, [&] { return over; }));
}

TEST_F(ClientServerTest, ThereIsNoWebSocketElsewhere) {
  const auto refused = dial(target("ws", "/other"));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text, HasSubstr("404"));
  RawClient raw(plain_port);
  ASSERT_TRUE(raw.send("GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
  EXPECT_TRUE(turn_until(io, [&] { return raw.ended(); }));  // no key: not a WebSocket handshake
  EXPECT_THAT(sockets, testing::IsEmpty());
}

TEST_F(ClientServerTest, AStoppingServerEndsItsWebSocketsAndTheLoop) {
  auto socket = dial(target("ws", "/ws"));
  ASSERT_TRUE(socket);
  bool over = false;
  (*socket)->on_close([&](const std::string&) { over = true; });
  server->stop();
  sockets.clear();
  EXPECT_TRUE(turn_until(io, [&] { return over && closed == 1; }));
  io.restart();
  io.run();
  EXPECT_EQ(server->counters().open, 0U);
}

TEST_F(ClientServerTest, ASilentWebSocketClientIsDropped) {
  server->stop();
  Limits limits;
  limits.websocket_timeout = 400ms;
  Server impatient(
      io, log, [](const Request&, const Responder&) {}, limits);
  bool dropped = false;
  impatient.on_websocket("/ws", [&](const Request&, const std::shared_ptr<WebSocket>& socket) {
    socket->on_close([&](const std::string&) { dropped = true; });
  });
  const auto bound = impatient.listen_tcp(*Endpoint::parse("127.0.0.1:0"));
  RawClient raw(bound->port);  // answers no ping
  ASSERT_TRUE(
      raw.send("GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"));
  EXPECT_TRUE(turn_until(io, [&] { return dropped; }));
  EXPECT_THAT(raw.read(), HasSubstr("101 Switching"));
}

}  // namespace
}  // namespace hearthcast::http
