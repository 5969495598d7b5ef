#include "tunnelmgr/http/server.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/unit/http/server_fixture.hpp"

namespace hearthcast::http {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(ServerTest, AnswersOverOneConnectionInOrder) {
  start(echo);
  RawClient client(port);
  ASSERT_TRUE(client.send(
      "GET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"));
  ASSERT_TRUE(turn_until(io, [&] { return client.read().find("POST /b hi") != std::string::npos; }));
  EXPECT_THAT(client.read(), HasSubstr("GET /a "));
  EXPECT_FALSE(client.ended());
  ASSERT_TRUE(client.send("GET /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  ASSERT_TRUE(turn_until(io, [&] { return client.ended(); }));
  EXPECT_THAT(client.read(), EndsWith("GET /c "));
  EXPECT_EQ(server->counters().accepted, 1U);
  EXPECT_EQ(server->counters().requests, 3U);
}

TEST_F(ServerTest, HeadHasTheLengthButNoBody) {
  start(echo);
  const std::string answer = answer_to("HEAD /abc HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 10\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(ServerTest, TellsTheHandlerWhoAsks) {
  Request seen;
  start([&](Request request, const Responder& responder) {
    seen = std::move(request);
    responder.send({204, {}, {}});
  });
  EXPECT_THAT(answer_to("GET /q?a=1 HTTP/1.0\r\nX-Y: z\r\n\r\n"), StartsWith("HTTP/1.0 204"));
  EXPECT_EQ(seen.peer.address, *IpAddress::parse("127.0.0.1"));
  EXPECT_EQ(seen.transport, Transport::kHttp);
  EXPECT_EQ(seen.query_value("a"), "1");
  EXPECT_EQ(seen.headers.get("x-y"), "z");
}

TEST_F(ServerTest, AnswersLaterFromTheLoop) {
  std::optional<Responder> held;
  start([&](const Request&, Responder responder) { held = std::move(responder); });
  RawClient client(port);
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  ASSERT_TRUE(turn_until(io, [&] { return held.has_value(); }));
  EXPECT_EQ(client.read(), "");
  held->send(Response::text(200, "late"));
  held->send(Response::text(500, "ignored"));
  ASSERT_TRUE(turn_until(io, [&] { return client.ended(); }));
  EXPECT_THAT(client.read(), EndsWith("late"));
}

TEST_F(ServerTest, ADroppedResponderAnswers500) {
  start([](const Request&, const Responder&) {});
  EXPECT_THAT(answer_to("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 500"));
}

TEST_F(ServerTest, AHandlerThatNeverAnswersIs504) {
  std::optional<Responder> held;
  Limits limits;
  limits.answer_timeout = 20ms;
  start([&](const Request&, Responder responder) { held = std::move(responder); }, limits);
  EXPECT_THAT(answer_to("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 504"));
}

TEST_F(ServerTest, RefusesMalformedAndAmbiguousRequests) {
  start(echo);
  for (const char* bad :
       {"GARBAGE\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET http://h/ HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\nBad Header: 1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    EXPECT_THAT(answer_to(bad), StartsWith("HTTP/1.1 400")) << bad;
  }
  EXPECT_EQ(server->counters().bad, 9U);
  EXPECT_EQ(server->counters().requests, 0U);
}

TEST_F(ServerTest, LimitsHeadAndBody) {
  Limits limits;
  limits.body_bytes = 10;
  limits.body_limit = [](const Request& head) { return head.path == "/import" ? 100U : 10U; };
  start(echo, limits);
  EXPECT_THAT(answer_to("GET / HTTP/1.1\r\nX: " + std::string(20000, 'a') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(answer_to("POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n"), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(answer_to("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nabcdefghijk\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 413"));
  const std::string large(50, 'x');
  EXPECT_THAT(answer_to("POST /import HTTP/1.1\r\nConnection: close\r\nContent-Length: 50\r\n\r\n" + large),
              EndsWith(large));
}

TEST_F(ServerTest, FewLargeBodiesAreHeldAtOnce) {
  Limits limits;
  limits.body_bytes = 100;
  limits.large_body = 10;
  limits.large_bodies = 1;
  start(echo, limits);
  const std::string large(50, 'x');
  const std::string head = "POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 50\r\n\r\n";
  std::optional<RawClient> first(port);
  ASSERT_TRUE(first->send(head + large.substr(1)));
  ASSERT_TRUE(turn_until(io, [&] { return server->counters().open == 1; }));
  (void)io.poll();  // its head is read
  const auto second = answer_to(head);
  EXPECT_THAT(second, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(second, HasSubstr("Retry-After: 5\r\n"));
  EXPECT_THAT(answer_to("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), StartsWith("HTTP/1.1 503"))
      << "it may become large";
  EXPECT_THAT(answer_to("POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"),
              EndsWith("ok"));
  ASSERT_TRUE(first->send("x"));
  ASSERT_TRUE(turn_until(io, [&] { return first->ended(); }));
  EXPECT_THAT(first->read(), EndsWith(large));

  first.emplace(port);
  ASSERT_TRUE(first->send(head + large.substr(1)));
  ASSERT_TRUE(turn_until(io, [&] { return server->counters().open == 1; }));
  first.reset();  // it leaves without having said all
  ASSERT_TRUE(turn_until(io, [&] { return server->counters().open == 0; }));
  EXPECT_THAT(answer_to(head + large), EndsWith(large));
}

TEST_F(ServerTest, ALargeBodyMayBeRefusedBeforeItComes) {
  Limits limits;
  limits.large_body = 10;
  limits.refuse_large = [](const Request& head) {
    return head.path == "/import" ? std::optional(Response::text(401, "Who are you?\n")) : std::nullopt;
  };
  start(echo, limits);
  EXPECT_THAT(answer_to("POST /import HTTP/1.1\r\nContent-Length: 50\r\nExpect: 100-continue\r\n\r\n"),
              StartsWith("HTTP/1.1 401"));
  EXPECT_EQ(server->counters().requests, 0U);
  EXPECT_THAT(answer_to("POST /import HTTP/1.1\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"),
              EndsWith("ok"))
      << "the handler's affair";
}

TEST_F(ServerTest, ExpectContinueIsAnswered) {
  start(echo);
  RawClient client(port);
  ASSERT_TRUE(client.send(
      "POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
  ASSERT_TRUE(turn_until(io, [&] { return client.read().starts_with("HTTP/1.1 100"); }));
  ASSERT_TRUE(client.send("ok"));
  ASSERT_TRUE(turn_until(io, [&] { return client.ended(); }));
  EXPECT_THAT(client.read(), EndsWith("ok"));
}

TEST_F(ServerTest, ATrickleDoesNotMoveTheDeadline) {
  Limits limits;
  limits.head_timeout = 600ms;
  start(echo, limits);
  RawClient client(port);
  const Time begin = Clock::now();
  ASSERT_TRUE(turn_until(io, [&] {
    client.send("G");  // a few octets each turn, never a whole line
    return client.ended();
  }));
  EXPECT_GE(Clock::now() - begin, 500ms);
  EXPECT_EQ(server->counters().timed_out + server->counters().bad, 1U);
}

TEST_F(ServerTest, SilentConnectionsAreClosed) {
  Limits limits;
  limits.head_timeout = 50ms;
  limits.idle_timeout = 50ms;
  start(echo, limits);
  RawClient mute(port);
  RawClient idle(port);
  ASSERT_TRUE(idle.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_TRUE(turn_until(io, [&] { return mute.ended() && idle.ended(); }));
  EXPECT_THAT(idle.read(), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(server->counters().timed_out, 2U);
  EXPECT_TRUE(turn_until(
      io, [&] { return server->counters().open == 0; }));  // a moment after the client sees the end
}

TEST_F(ServerTest, RefusesConnectionsOverTheLimit) {
  Limits limits;
  limits.local_connections = 1;
  start(echo, limits);
  RawClient first(port);
  ASSERT_TRUE(turn_until(io, [&] { return server->counters().open == 1; }));
  RawClient second(port);
  EXPECT_TRUE(turn_until(io, [&] { return second.ended(); }));
  EXPECT_EQ(server->counters().refused, 1U);
  EXPECT_FALSE(first.ended());
}

TEST_F(ServerTest, StreamsUntilTheHandlerCloses) {
  std::shared_ptr<Stream> stream;
  start([&](const Request&, const Responder& responder) {
    stream = responder.stream({200, {{"Content-Type", "text/event-stream"}}, {}});
  });
  RawClient client(port);
  ASSERT_TRUE(client.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n"));
  ASSERT_TRUE(turn_until(io, [&] { return stream != nullptr; }));
  EXPECT_TRUE(stream->send("data: 1\n\n"));
  ASSERT_TRUE(
      turn_until(io, [&] { return client.read().find("9\r\ndata: 1\n\n\r\n") != std::string::npos; }));
  bool told = false;
  stream->on_closed([&] { told = true; });
  stream->send("data: 2\n\n");
  stream->close();
  EXPECT_TRUE(told);
  EXPECT_FALSE(stream->send("too late"));
  ASSERT_TRUE(turn_until(io, [&] { return client.ended(); }));
  EXPECT_THAT(client.read(), EndsWith("data: 2\n\n\r\n0\r\n\r\n"));
}

TEST_F(ServerTest, AStreamNoticesThatItsClientLeft) {
  std::shared_ptr<Stream> stream;
  start([&](const Request&, const Responder& responder) { stream = responder.stream({}); });
  RawClient client(port);
  ASSERT_TRUE(client.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n"));
  ASSERT_TRUE(turn_until(io, [&] { return stream != nullptr && !client.read().empty(); }));
  bool told = false;
  stream->on_closed([&] { told = true; });
  client.end();
  EXPECT_TRUE(turn_until(io, [&] { return told; }));
}

TEST_F(ServerTest, AStreamWhoseClientDoesNotReadIsCut) {
  Limits limits;
  limits.stream_queue_bytes = 100000;
  std::shared_ptr<Stream> stream;
  start([&](const Request&, const Responder& responder) { stream = responder.stream({}); }, limits);
  RawClient client(port);
  ASSERT_TRUE(client.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n"));
  ASSERT_TRUE(turn_until(io, [&] { return stream != nullptr; }));
  const std::string chunk(90000, 'x');
  EXPECT_TRUE(turn_until(io, [&] { return !stream->send(chunk); }));
  EXPECT_TRUE(stream->closed());
  EXPECT_TRUE(turn_until(io, [&] { return server->counters().open == 0; }));
}

TEST_F(ServerTest, HandsTheSocketOver) {
  int fd = -1;
  start([&](const Request&, const Responder& responder) {
    responder.detach({200, {{"Content-Type", "video/mp2t"}}, {}}, [&](Result<int, Failure> given) {
      ASSERT_TRUE(given);
      fd = *given;
    });
  });
  RawClient client(port);
  ASSERT_TRUE(client.send("GET /channel/1 HTTP/1.1\r\nHost: x\r\n\r\n"));
  ASSERT_TRUE(turn_until(io, [&] { return fd >= 0 && client.read().find("\r\n\r\n") != std::string::npos; }));
  EXPECT_THAT(client.read(), HasSubstr("Content-Type: video/mp2t"));
  EXPECT_THAT(client.read(), testing::Not(HasSubstr("chunked")));
  server->stop();
  ASSERT_EQ(::write(fd, "TS", 2), 2);
  EXPECT_TRUE(turn_until(io, [&] { return client.read().ends_with("\r\n\r\nTS"); }));
  EXPECT_FALSE(client.ended());
  ::close(fd);
}

TEST_F(ServerTest, StoppingClosesEverythingAndTheLoopEnds) {
  std::shared_ptr<Stream> stream;
  start([&](const Request&, const Responder& responder) { stream = responder.stream({}); });
  RawClient mute(port);
  RawClient streaming(port);
  ASSERT_TRUE(streaming.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  ASSERT_TRUE(turn_until(io, [&] { return server->counters().open == 2 && stream != nullptr; }));
  server->stop();
  io.restart();
  io.run();  // returns: nothing is left pending
  EXPECT_TRUE(stream->closed());
  EXPECT_TRUE(mute.ended());
  EXPECT_TRUE(streaming.ended());
}

TEST_F(ServerTest, UnixSocketReplacesADeadOneButNotALiveOne) {
  start(echo);
  const std::string path = testing::TempDir() + "hearthcast-server-test.sock";
  ASSERT_TRUE(server->listen_unix(path, 0600));
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  Server second(io, log, echo);
  const auto refused = second.listen_unix(path);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text, HasSubstr("another instance"));
  server->stop();
  EXPECT_NE(::stat(path.c_str(), &status), 0);
  EXPECT_TRUE(second.listen_unix(path));
  EXPECT_FALSE(second.listen_unix("/nonexistent-folder/x.sock"));
}

TEST_F(ServerTest, APortInUseIsAFailureThatSaysSo) {
  start(echo);
  Server second(io, log, echo);
  const auto refused = second.listen_tcp({*IpAddress::parse("127.0.0.1"), port});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text, HasSubstr("another program uses this port"));
}

}  // namespace
}  // namespace hearthcast::http
