// A server on loopback with the handler that a test gives it, and what it answers to octets.
#pragma once

#include <gmock/gmock.h>

#include <optional>

#include "tests/unit/http/loopback.hpp"

namespace hearthcast::http {

class ServerTest : public testing::Test {
 protected:
  void start(Handler handler, Limits limits = {}) {
    server.emplace(io, log, std::move(handler), std::move(limits));
    const auto bound = server->listen_tcp(*Endpoint::parse("127.0.0.1:0"));
    ASSERT_TRUE(bound) << bound.error().text;
    port = bound->port;
  }
  std::string answer_to(std::string_view request) {
    RawClient client(port);
    EXPECT_TRUE(client.send(request));
    EXPECT_TRUE(turn_until(io, [&] { return client.ended(); })) << client.read();
    return client.read();
  }
  static void echo(const Request& request, const Responder& responder) {
    responder.send(Response::text(200, request.method + " " + request.path + " " + request.body));
  }

  boost::asio::io_context io;
  QuietLog log;
  std::optional<Server> server;
  std::uint16_t port = 0;
};

}  // namespace hearthcast::http
