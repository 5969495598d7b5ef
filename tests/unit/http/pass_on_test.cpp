// Two servers behind one TLS port: who offers the other's protocol is led there, unopened.
#include <algorithm>

#include "tests/unit/http/server_fixture.hpp"
#include "tunnelmgr/secure/tls_context.hpp"
#include "tunnelmgr/secure/tls_stream.hpp"

namespace hearthcast::http {
namespace {

using secure::TlsState;

// A client of TLS that says its octets in pieces.
class TlsClient {
 public:
  TlsClient(std::uint16_t port, const Sha256& pin, const std::string& alpn, std::size_t piece)
      : raw_(port), tls_(*secure::TlsContext::pinned_client(pin), "localhost", alpn), piece_(piece) {}

  void turn() {
    const auto& came = raw_.read();
    tls_.put(as_bytes(std::string_view(came).substr(seen_)));
    seen_ = came.size();
    std::array<std::uint8_t, 4096> room{};
    while (const std::size_t size = tls_.read(room)) {
      said.append(as_text(Bytes(room).first(size)));
    }
    tls_.take_output(waiting_);
    const std::size_t size = std::min(piece_, waiting_.size());
    if (size > 0 && raw_.send(as_text(Bytes(waiting_).first(size)))) {
      waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(size));
    }
  }
  bool say(std::string_view text) { return tls_.write(as_bytes(text)); }
  [[nodiscard]] TlsState state() const { return tls_.state(); }
  [[nodiscard]] bool ended() { return raw_.ended(); }
  void end() { raw_.end(); }

  std::string said;  // by the server

 private:
  RawClient raw_;
  secure::TlsStream tls_;
  std::size_t piece_;
  std::size_t seen_ = 0;
  Buffer waiting_;
};

// The server with the port, and the one behind it, which has another key.
class PassOnTest : public ServerTest {
 protected:
  PassOnTest() {
    elsewhere.emplace(io, log, [](const Request&, const Responder& responder) {
      responder.send(Response::text(200, "elsewhere"));
    });
    behind = *elsewhere->listen_tcp(*Endpoint::parse("127.0.0.1:0"), *secure::TlsContext::server(other));
    server.emplace(io, log, [](const Request&, const Responder& responder) {
      responder.send(Response::text(200, "here"));
    });
    port = server->listen_tcp(*Endpoint::parse("127.0.0.1:0"), *secure::TlsContext::server(own))->port;
    server->pass_on({"stun.turn", behind});
  }
  std::string ask(const Sha256& pin, const std::string& alpn, std::size_t piece = 100'000) {
    TlsClient client(port, pin, alpn, piece);
    const auto turn = [&] {
      client.turn();
      return client.state() != TlsState::kHandshaking || client.ended();
    };
    EXPECT_TRUE(turn_until(io, turn));
    if (!client.say("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")) {
      return "no TLS";
    }
    EXPECT_TRUE(turn_until(io, [&] {
      client.turn();
      return client.ended();
    }));
    return client.said.substr(client.said.find("\r\n\r\n") + 4);
  }

  secure::OpenSslIdentity own = secure::make_identity();
  secure::OpenSslIdentity other = secure::make_identity();
  std::optional<Server> elsewhere;
  Endpoint behind;
};

TEST_F(PassOnTest, WhoOffersItIsLedThere) {
  EXPECT_EQ(ask(other.id().digest, "stun.turn"), "elsewhere");
  EXPECT_EQ(server->counters().passed_on, 1U);
  EXPECT_EQ(server->counters().requests, 0U) << "nothing of it was opened here";
  EXPECT_TRUE(turn_until(io, [&] { return server->counters().open == 0; }));
}

TEST_F(PassOnTest, EverybodyElseIsServedHere) {
  EXPECT_EQ(ask(own.id().digest, ""), "here");
  EXPECT_EQ(ask(own.id().digest, "http/1.1"), "here");
  EXPECT_EQ(server->counters().passed_on, 0U);
}

TEST_F(PassOnTest, AClientHelloInPiecesIsTheSame) {
  EXPECT_EQ(ask(other.id().digest, "stun.turn", 50), "elsewhere");
  EXPECT_EQ(ask(own.id().digest, "", 50), "here");
}

TEST_F(PassOnTest, OneServerDoesNotPassForTheOther) {
  EXPECT_EQ(ask(own.id().digest, "stun.turn"), "no TLS");
  EXPECT_EQ(ask(other.id().digest, ""), "no TLS");
}

TEST_F(PassOnTest, WithNobodyThereTheConnectionEnds) {
  elsewhere->stop();
  EXPECT_EQ(ask(other.id().digest, "stun.turn"), "no TLS");
  EXPECT_EQ(server->counters().passed_on, 0U);
  EXPECT_TRUE(turn_until(io, [&] { return server->counters().open == 0; }));
}

TEST_F(PassOnTest, EitherEndEndsBoth) {
  TlsClient client(port, other.id().digest, "stun.turn", 100'000);
  const auto established = [&] {
    client.turn();
    return client.state() == TlsState::kEstablished;
  };
  ASSERT_TRUE(turn_until(io, established));
  ASSERT_TRUE(turn_until(io, [&] { return elsewhere->counters().open == 1; }));
  client.end();
  EXPECT_TRUE(
      turn_until(io, [&] { return elsewhere->counters().open == 0 && server->counters().open == 0; }));

  TlsClient second(port, other.id().digest, "stun.turn", 100'000);
  ASSERT_TRUE(turn_until(io, [&] {
    second.turn();
    return second.state() == TlsState::kEstablished;
  }));
  elsewhere->stop();
  EXPECT_TRUE(turn_until(io, [&] { return second.ended(); }));
}

TEST_F(PassOnTest, StoppingEndsWhatIsCarried) {
  TlsClient client(port, other.id().digest, "stun.turn", 100'000);
  ASSERT_TRUE(turn_until(io, [&] {
    client.turn();
    return client.state() == TlsState::kEstablished;
  }));
  server->stop();
  EXPECT_TRUE(turn_until(io, [&] { return client.ended() && elsewhere->counters().open == 0; }));
}

TEST_F(PassOnTest, WhoSaysNoHelloIsTimedOut) {
  Limits limits;
  limits.head_timeout = std::chrono::milliseconds{50};
  server.emplace(io, log, echo, limits);
  port = server->listen_tcp(*Endpoint::parse("127.0.0.1:0"), *secure::TlsContext::server(own))->port;
  server->pass_on({"stun.turn", behind});
  RawClient silent(port);
  ASSERT_TRUE(silent.send("\x16\x03\x01\x02"));
  EXPECT_TRUE(turn_until(io, [&] { return silent.ended(); }));
  EXPECT_EQ(server->counters().timed_out, 1U);
}

TEST_F(PassOnTest, WhatIsNoTlsIsClosed) {
  RawClient client(port);
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_TRUE(turn_until(io, [&] { return client.ended(); }));
  EXPECT_EQ(server->counters().passed_on, 0U);
}

}  // namespace
}  // namespace hearthcast::http
