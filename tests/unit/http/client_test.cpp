// The HTTP and WebSocket clients against servers that are broken, or that are none.
#include "tunnelmgr/http/client.hpp"

#include <gmock/gmock.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include "tests/unit/http/loopback.hpp"

namespace hearthcast::http {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;
using testing::HasSubstr;

// Says one thing to each who has asked, then closes.
class CannedServer {
 public:
  explicit CannedServer(boost::asio::io_context& io)
      : acceptor_(io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)) {
    accept();
  }
  [[nodiscard]] std::string authority() const {
    return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
  }
  std::string says;
  std::string heard;
  std::string until = "\r\n\r\n";  // the end of what it listens to
  bool closes = true;

 private:
  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& error, tcp::socket socket) {
      if (error) {
        return;
      }
      socket_ = std::make_unique<tcp::socket>(std::move(socket));
      // The request first: a close with unread octets would reset the connection.
      heard.clear();
      boost::asio::async_read_until(*socket_, boost::asio::dynamic_buffer(heard), until,
                                    [this](const boost::system::error_code&, std::size_t) {
                                      boost::system::error_code lost;
                                      boost::asio::write(*socket_, boost::asio::buffer(says), lost);
                                      if (closes) {
                                        socket_.reset();
                                      }
                                    });
      accept();
    });
  }
  tcp::acceptor acceptor_;
  std::unique_ptr<tcp::socket> socket_;
};

class BrokenServerTest : public testing::Test {
 protected:
  Result<Response, ClientFailure> ask(ClientRequest to_send = {}) {
    to_send.to.url = *Url::parse("http://" + server.authority() + "/x?y=z");
    std::optional<Result<Response, ClientFailure>> got;
    request(io, std::move(to_send), [&](Result<Response, ClientFailure> result) { got = std::move(result); });
    EXPECT_TRUE(turn_until(io, [&] { return got.has_value(); }));
    return std::move(*got);
  }
  boost::asio::io_context io;
  CannedServer server{io};
};

TEST_F(BrokenServerTest, WhatIsNoWholeAnswerIsAFailureOfSomebodyWhoIsThere) {
  for (const char* says : {"", "H", "garbage\r\n\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 2000 OK\r\n\r\n",
                           "HTTP/9.9 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
                           "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    server.says = says;
    const auto got = ask();
    ASSERT_FALSE(got) << says;
    EXPECT_TRUE(got.error().connected) << says;
    EXPECT_FALSE(got.error().text.empty()) << says;
  }
}

TEST_F(BrokenServerTest, AHeadWithoutEndIsNotReadForEver) {
  server.says = "HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x');
  EXPECT_FALSE(ask());
}

TEST_F(BrokenServerTest, AnswersOfEveryLegalFormAreTaken) {
  const struct {
    const char* says;
    int status;
    const char* body;
  } cases[] = {
      {"HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, "until the end"},
      {"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", 404, "no"},
      {"HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nab\r\n1\r\nc\r\n0\r\n\r\n", 200, "abc"},
      {"HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n", 299, ""},
  };
  for (const auto& c : cases) {
    server.says = c.says;
    const auto got = ask();
    ASSERT_TRUE(got) << c.says << ": " << got.error().text;
    EXPECT_EQ(got->status, c.status);
    EXPECT_EQ(got->body, c.body);
  }
}

TEST_F(BrokenServerTest, TheRequestIsWhatWasAskedFor) {
  server.says = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  server.until = "\r\n\r\nbody";
  ClientRequest post;
  post.method = "POST";
  post.headers = {{"X-Hearthcast", "1"}};
  post.body = "body";
  ASSERT_TRUE(ask(post));
  EXPECT_EQ(server.heard.substr(0, 26), "POST /x?y=z HTTP/1.1\r\nHost");
  EXPECT_THAT(server.heard, HasSubstr("Host: " + server.authority() + "\r\n"));
  EXPECT_THAT(server.heard, HasSubstr("X-Hearthcast: 1\r\n"));
  EXPECT_THAT(server.heard, HasSubstr("Content-Length: 4\r\n"));
  EXPECT_THAT(server.heard, HasSubstr("\r\n\r\nbody"));
}

TEST_F(BrokenServerTest, AnAnswerThatStopsHalfwayIsGivenUp) {
  server.says = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc";
  server.closes = false;
  ClientRequest impatient;
  impatient.timeout = 50ms;
  const auto got = ask(impatient);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().text, "no answer in time");
  EXPECT_TRUE(got.error().connected);
}

TEST_F(BrokenServerTest, WhatIsNoWebSocketIsAFailureInWords) {
  const struct {
    const char* says;
    const char* words;
  } cases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "answered 200"},
      {"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "answered 503"},
      {"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
       "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
       ""},
      {"", ""},
      {"SSH-2.0-OpenSSH\r\n", ""},
  };
  for (const auto& c : cases) {
    server.says = c.says;
    std::optional<Result<std::shared_ptr<WebSocket>, ClientFailure>> got;
    connect_websocket(io, {*Url::parse("ws://" + server.authority() + "/v1"), {}, nullptr},
                      [&](auto result) { got = std::move(result); });
    ASSERT_TRUE(turn_until(io, [&] { return got.has_value(); })) << c.says;
    ASSERT_FALSE(*got) << c.says;
    EXPECT_THAT(got->error().text, HasSubstr(c.words));
    EXPECT_FALSE(got->error().text.empty()) << c.says;
  }
}

}  // namespace
}  // namespace hearthcast::http
