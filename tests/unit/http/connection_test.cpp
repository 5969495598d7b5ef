// One connection at its edges: requests in pieces, clients that stop, leave or never listen, and what each of
// them may cost.
#include <gmock/gmock.h>

#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "tests/unit/http/server_fixture.hpp"
#include "tunnelmgr/http/client.hpp"
#include "tunnelmgr/http/server_state.hpp"
#include "tunnelmgr/secure/tls_context.hpp"

namespace hearthcast::http {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ConnectionTest : public ServerTest {
 protected:
  bool nobody_left() {
    return turn_until(io, [this] { return server->counters().open == 0; });
  }
  // A handler that answers later: by what `held` keeps.
  Handler holding() {
    return [this](const Request&, Responder responder) { held = std::move(responder); };
  }
  std::optional<Responder> held;
};

constexpr std::string_view kPost =
    "POST /a/b?c=d HTTP/1.1\r\nHost: box\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";

TEST_F(ConnectionTest, EveryPrefixOfARequestIsNoRequest) {
  start(echo);
  for (std::size_t n = 0; n < kPost.size(); ++n) {
    RawClient client(port);
    ASSERT_TRUE(client.send(kPost.substr(0, n)));
    client.finish();
    ASSERT_TRUE(turn_until(io, [&] { return client.ended(); })) << n;
    EXPECT_THAT(client.read(), Not(HasSubstr("HTTP/1.1 200"))) << n;
  }
  EXPECT_TRUE(nobody_left());
  EXPECT_EQ(server->counters().requests, 0U);
}

TEST_F(ConnectionTest, ARequestMayComeOctetByOctet) {
  start(echo);
  RawClient client(port);
  for (const char octet : kPost) {
    ASSERT_TRUE(client.send(std::string_view(&octet, 1)));
    io.restart();
    (void)io.poll();
  }
  ASSERT_TRUE(turn_until(io, [&] { return client.ended(); }));
  EXPECT_THAT(client.read(), EndsWith("POST /a/b hello"));
}

TEST_F(ConnectionTest, ManyPipelinedRequestsAreAnsweredInOrder) {
  start(echo);
  std::string requests;
  std::string paths;
  for (int n = 0; n < 50; ++n) {
    requests += "GET /" + std::to_string(n) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  RawClient client(port);
  ASSERT_TRUE(client.send(requests));
  ASSERT_TRUE(turn_until(io, [&] { return client.read().find("GET /49 ") != std::string::npos; }));
  std::size_t at = 0;
  for (int n = 0; n < 50; ++n) {
    at = client.read().find("GET /" + std::to_string(n) + " ", at);
    ASSERT_NE(at, std::string::npos) << n;
  }
  EXPECT_EQ(server->counters().requests, 50U);
}

TEST_F(ConnectionTest, AHeadAndASmallBodyAreOneWrite) {
  start([](const Request&, const Responder& responder) {
    responder.send({200, {{"A", "1"}, {"B", "2"}, {"C", "3"}, {"D", "4"}}, "small"});
  });
  RawClient client(port);
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  ASSERT_TRUE(turn_until(io, [&] { return !client.read().empty(); }));
  EXPECT_THAT(client.read(), EndsWith("small")) << "not a packet for each header field";
}

TEST_F(ConnectionTest, StaysOpenAsVersionAndHeaderSay) {
  start(echo);
  const struct {
    const char* request;
    bool stays;
  } cases[] = {{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", true},
               {"GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", true},
               {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", false},
               {"GET / HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n", false},
               {"GET / HTTP/1.0\r\n\r\n", false},
               {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true}};
  for (const auto& c : cases) {
    RawClient client(port);
    ASSERT_TRUE(client.send(c.request));
    ASSERT_TRUE(turn_until(io, [&] { return client.read().ends_with("GET / "); })) << c.request;
    if (c.stays) {  // a second one on the same connection
      ASSERT_TRUE(client.send("GET /again HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    }
    ASSERT_TRUE(turn_until(io, [&] { return client.ended(); })) << c.request;
    EXPECT_EQ(client.read().find("/again") != std::string::npos, c.stays) << c.request;
  }
}

TEST_F(ConnectionTest, ChunkedBodiesComeWhole) {
  start(echo);
  EXPECT_THAT(
      answer_to("PUT /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                "3;name=value\r\nabc\r\n0a\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"),
      EndsWith("PUT /c abc0123456789"));
}

TEST_F(ConnectionTest, ResponsesWithoutABodySayNoLength) {
  int status = 0;
  start([&](const Request&, const Responder& responder) { responder.send({status, {}, "never sent"}); });
  for (const int bodyless : {204, 304}) {
    status = bodyless;
    const auto answer = answer_to("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + std::to_string(status)));
    EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
    EXPECT_THAT(answer, Not(HasSubstr("Content-Length"))) << status;
  }
}

TEST_F(ConnectionTest, MethodsPassAsTheyCame) {
  start(echo);
  for (const char* method : {"BREW", "get", "PATCH", "OPTIONS"}) {
    EXPECT_THAT(answer_to(std::string(method) + " /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
                EndsWith(std::string(method) + " /x "));
  }
  EXPECT_THAT(answer_to("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(answer_to("CONNECT box:443 HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 400"));
}

TEST_F(ConnectionTest, AnExpectationThatIsNotUnderstoodHoldsNothingUp) {
  start(echo);
  EXPECT_THAT(
      answer_to("POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 2\r\nExpect: miracles\r\n\r\nok"),
      AllOf(StartsWith("HTTP/1.1 200"), EndsWith("ok")));
}

TEST_F(ConnectionTest, ABodyThatDoesNotComeIsCut) {
  Limits limits;
  limits.body_timeout = 50ms;
  start(echo, limits);
  RawClient client(port);
  ASSERT_TRUE(client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"));
  EXPECT_TRUE(turn_until(io, [&] { return client.ended(); }));
  EXPECT_EQ(server->counters().timed_out, 1U);
  EXPECT_EQ(server->counters().requests, 0U);
}

TEST_F(ConnectionTest, AClientThatDoesNotReadItsAnswerIsCut) {
  Limits limits;
  limits.write_timeout = 50ms;
  const std::string large(std::size_t{32} << 20, 'x');
  start([&](const Request&, const Responder& responder) { responder.send(Response::text(200, large)); },
        limits);
  RawClient client(port);
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_TRUE(turn_until(io, [&] { return server->counters().timed_out == 1; }));
  EXPECT_TRUE(nobody_left());
}

TEST_F(ConnectionTest, AnAnswerToWhoLeftGoesNowhere) {
  start(holding());
  RawClient client(port);
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  ASSERT_TRUE(turn_until(io, [&] { return held.has_value(); }));
  client.end();
  held->send(Response::text(200, "hello?"));
  EXPECT_TRUE(nobody_left());
}

TEST_F(ConnectionTest, AfterTheServersEndEveryKindOfAnswerIsHarmless) {
  start(holding());
  std::vector<Responder> late;
  for (int n = 0; n < 3; ++n) {
    RawClient client(port);
    ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    ASSERT_TRUE(turn_until(io, [&] { return held.has_value(); }));
    late.push_back(*std::exchange(held, std::nullopt));
  }
  server->stop();
  io.restart();
  io.run();  // the connections' coroutines end
  late[0].send(Response::text(200, "late"));
  const auto stream = late[1].stream({});
  EXPECT_TRUE(stream->closed());
  EXPECT_FALSE(stream->send("late"));
  bool told = false;
  stream->on_closed([&] { told = true; });
  EXPECT_TRUE(told) << "at once: it is over";
  std::string failure;
  late[2].detach({},
                 [&](const Result<int, Failure>& socket) { failure = socket ? "" : socket.error().text; });
  EXPECT_THAT(failure, HasSubstr("gone"));
}

TEST_F(ConnectionTest, AHandlerThatThrowsCostsOneConnection) {
  start([](const Request& request, const Responder& responder) {
    if (request.path == "/bug") {
      throw std::runtime_error("a bug");
    }
    echo(request, responder);
  });
  EXPECT_THAT(answer_to("GET /bug HTTP/1.1\r\nHost: x\r\n\r\n"), Not(HasSubstr("200")));
  EXPECT_TRUE(nobody_left());
  EXPECT_THAT(answer_to("GET /fine HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              EndsWith("GET /fine "));
}

TEST_F(ConnectionTest, HeadOfAStreamIsItsHead) {
  std::shared_ptr<Stream> stream;
  start([&](const Request&, const Responder& responder) {
    stream = responder.stream({200, {{"Content-Type", "text/event-stream"}}, {}});
    (void)stream->send("data: never seen\n\n");
  });
  const auto answer = answer_to("HEAD /events HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("text/event-stream"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
  EXPECT_TRUE(stream->closed());
}

TEST_F(ConnectionTest, AnOldClientsStreamIsNotChunked) {
  start([](const Request&, const Responder& responder) {
    const auto stream = responder.stream({});
    (void)stream->send("one");
    (void)stream->send("two");
    stream->close();
  });
  const auto answer = answer_to("GET /events HTTP/1.0\r\n\r\n");
  EXPECT_THAT(answer, EndsWith("\r\n\r\nonetwo"));
  EXPECT_THAT(answer, Not(HasSubstr("chunked")));
}

TEST_F(ConnectionTest, WhoTalksIntoAStreamHasLeftIt) {
  std::shared_ptr<Stream> stream;
  start([&](const Request&, const Responder& responder) { stream = responder.stream({}); });
  RawClient client(port);
  ASSERT_TRUE(client.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n"));
  ASSERT_TRUE(turn_until(io, [&] { return stream != nullptr && !client.read().empty(); }));
  ASSERT_TRUE(client.send("x"));
  EXPECT_TRUE(turn_until(io, [&] { return client.ended(); }));
  EXPECT_TRUE(stream->closed());
}

TEST_F(ConnectionTest, AStreamsQueueTakesItsLimitAndNotAnOctetMore) {
  Stream stream(10);
  EXPECT_TRUE(stream.send("0123456789"));
  EXPECT_FALSE(stream.send("x"));
  EXPECT_TRUE(stream.closed());
  Stream empty(0);
  EXPECT_TRUE(empty.send(""));
  EXPECT_FALSE(empty.send("x"));
}

// ---- TLS
// ---------------------------------------------------------------------------------------------------

class TlsConnectionTest : public ConnectionTest {
 protected:
  void start_tls(Handler handler, Limits limits = {}) {
    server.emplace(io, log, std::move(handler), std::move(limits));
    const auto bound =
        server->listen_tcp(*Endpoint::parse("127.0.0.1:0"), *secure::TlsContext::server(identity));
    ASSERT_TRUE(bound) << bound.error().text;
    port = bound->port;
  }
  secure::OpenSslIdentity identity = secure::make_identity();
};

TEST_F(TlsConnectionTest, PlainTextOnATlsPortIsNoRequest) {
  start_tls(echo);
  (void)answer_to("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  (void)answer_to(std::string(100, '\0'));
  EXPECT_TRUE(nobody_left());
  EXPECT_EQ(server->counters().requests, 0U);
}

TEST_F(TlsConnectionTest, AHalfHandshakeIsCut) {
  Limits limits;
  limits.head_timeout = 50ms;
  start_tls(echo, limits);
  RawClient client(port);
  ASSERT_TRUE(client.send("\x16\x03\x01\x02"));  // a record header that promises 512 octets more
  EXPECT_TRUE(turn_until(io, [&] { return client.ended(); }));
  EXPECT_EQ(server->counters().timed_out, 1U);
}

TEST_F(TlsConnectionTest, ASocketUnderTlsIsNotHandedOver) {
  std::string failure;
  start_tls([&](const Request&, const Responder& responder) {
    responder.detach(
        {}, [&](const Result<int, Failure>& socket) { failure = socket ? "" : socket.error().text; });
  });
  ClientRequest ask;
  ask.to = {*Url::parse("https://127.0.0.1:" + std::to_string(port) + "/"),
            {},
            *secure::TlsContext::pinned_client(identity.id().digest)};
  std::optional<Result<Response, ClientFailure>> got;
  request(io, std::move(ask), [&](Result<Response, ClientFailure> result) { got = std::move(result); });
  ASSERT_TRUE(turn_until(io, [&] { return got.has_value(); }));
  ASSERT_TRUE(*got);
  EXPECT_EQ((*got)->status, 500);
  EXPECT_THAT(failure, HasSubstr("TLS"));
}

// ---- limits by source, with sources that a loopback connection cannot have
// ------------------------------------

struct AdmissionTest : testing::Test {
  using Unix = boost::asio::local::stream_protocol;

  void open(Limits limits) {
    state = std::make_shared<ServerState>(
        io, log, [](const Request&, const Responder&) {}, std::move(limits));
  }
  // True when the connection was let in.
  bool admit(const char* from) {
    Unix::socket ours(io);
    clients.emplace_back(io);
    boost::asio::local::connect_pair(ours, clients.back());
    const auto before = state->counters.accepted;
    state->admit(AnyStream::Socket(std::move(ours)), Transport::kHttp, *Endpoint::parse(from), nullptr);
    return state->counters.accepted > before;
  }
  void leave_all() {
    clients.clear();
    EXPECT_TRUE(turn_until(io, [this] { return state->connections.empty(); }));
  }
  ~AdmissionTest() override {
    leave_all();
    state->reaper.cancel();
    io.restart();
    io.run();
  }

  boost::asio::io_context io;
  QuietLog log;
  std::vector<Unix::socket> clients;
  std::shared_ptr<ServerState> state;
};

TEST_F(AdmissionTest, OneSourceTakesItsShareAndNoMore) {
  Limits limits;
  limits.connections_per_source = 2;
  open(limits);
  EXPECT_TRUE(admit("192.0.2.1:1"));
  EXPECT_TRUE(admit("192.0.2.1:2"));
  EXPECT_FALSE(admit("192.0.2.1:3"));
  EXPECT_TRUE(admit("192.0.2.2:1")) << "another address";
  EXPECT_TRUE(admit("[2001:db8:0:100::1]:1"));
  EXPECT_TRUE(admit("[2001:db8:0:1ff::2]:1"));
  EXPECT_FALSE(admit("[2001:db8:0:180::3]:1")) << "one site is one /56";
  EXPECT_TRUE(admit("[2001:db8:0:200::3]:1"));
  for (int n = 0; n < 5; ++n) {
    EXPECT_TRUE(admit("127.0.0.1:9")) << "the machine itself is not counted";
  }
  EXPECT_EQ(state->counters.refused, 2U);
  leave_all();
  EXPECT_TRUE(state->per_source.empty());
  EXPECT_TRUE(admit("192.0.2.1:4")) << "what ended is free again";
}

TEST_F(AdmissionTest, WhoIsRefusedIsNotRemembered) {
  Limits limits;
  limits.connections = 1;
  open(limits);
  EXPECT_TRUE(admit("192.0.2.1:1"));
  for (std::uint32_t n = 0; n < 100; ++n) {
    EXPECT_FALSE(admit(Endpoint{IpAddress::ip4(0x0a000000 + n), 1}.to_string().c_str()));
  }
  EXPECT_EQ(state->per_source.size(), 1U) << "a crowd at a full server must not fill its memory";
}

TEST_F(AdmissionTest, WhoIsOnTheMachineItselfIsLetInWhateverOthersDo) {
  Limits limits;
  limits.connections = 2;
  limits.local_connections = 2;
  open(limits);
  EXPECT_TRUE(admit("192.0.2.1:1"));
  EXPECT_TRUE(admit("192.0.2.2:1"));
  EXPECT_FALSE(admit("192.0.2.3:1"));
  EXPECT_TRUE(admit("127.0.0.1:1"));
  EXPECT_TRUE(admit("[::1]:1"));
  EXPECT_FALSE(admit("127.0.0.1:2")) << "within a limit of its own";
  leave_all();
  EXPECT_TRUE(admit("127.0.0.1:3"));
  EXPECT_TRUE(admit("127.0.0.1:4"));
  EXPECT_TRUE(admit("192.0.2.1:1")) << "which takes nothing from others, either";
  EXPECT_TRUE(admit("192.0.2.2:1"));
}

TEST_F(AdmissionTest, TheOwnerOfTheServerIsAskedBeforeAnythingIsRead) {
  Limits limits;
  std::vector<std::string> asked;
  limits.admit = [&](const Endpoint& from) {
    asked.push_back(from.to_string());
    return from.address != *IpAddress::parse("192.0.2.1");
  };
  limits.connections = 1;
  open(limits);
  EXPECT_FALSE(admit("192.0.2.1:1"));
  EXPECT_TRUE(admit("192.0.2.2:1"));
  EXPECT_TRUE(admit("127.0.0.1:1"));
  EXPECT_FALSE(admit("192.0.2.3:1")) << "full: nobody is asked";
  EXPECT_EQ(asked, (std::vector<std::string>{"192.0.2.1:1", "192.0.2.2:1"}));
  EXPECT_EQ(state->counters.refused, 2U);
  EXPECT_EQ(state->per_source.size(), 1U);
}

}  // namespace
}  // namespace hearthcast::http
