// HTTP and WebSocket clients over TCP, TLS or a Unix socket: one connection per request.
// TLS without a context is impossible: the caller says whom it trusts (secure::TlsContext).
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/http/message.hpp"
#include "tunnelmgr/http/websocket.hpp"

namespace hearthcast::secure {
class TlsContext;
}

namespace hearthcast::http {

// Where a client connects.
struct Target {
  Url url;                // of a Unix socket only url.target counts
  std::string unix_path;  // not empty: connect there
  std::shared_ptr<secure::TlsContext>
      tls;  // needed for https and wss; shared by the connections made with it
};

struct ClientRequest {
  Target to;
  std::string method = "GET";
  Headers headers;  // Host, Content-Length and Connection are added
  std::string body;
  std::chrono::milliseconds timeout = std::chrono::seconds{15};  // for all of it
  std::size_t max_body = std::size_t{16} << 20;
};

// Why a client got nothing: in words, and whether anybody was there.
struct ClientFailure {
  std::string text;
  bool connected = false;  // false: nobody listens, the name is unknown, the key is wrong
};

using ClientHandler = std::function<void(Result<Response, ClientFailure>)>;

// Calls done once, later, on io's thread.
void request(boost::asio::io_context& io, ClientRequest request, ClientHandler done);
// The same, waiting: for command lines.
[[nodiscard]] Result<Response, ClientFailure> request_and_wait(ClientRequest request);

using ConnectHandler = std::function<void(Result<std::shared_ptr<WebSocket>, ClientFailure>)>;

// silence: the connection is dropped after so long without a sign of the server; half of it is when it is
// pinged.
void connect_websocket(boost::asio::io_context& io, Target to, ConnectHandler done,
                       std::chrono::milliseconds timeout = std::chrono::seconds{15},
                       std::chrono::milliseconds silence = std::chrono::seconds{100});

}  // namespace hearthcast::http

namespace boost::system {
[[noreturn]] inline void throw_exception_from_error(const hearthcast::http::ClientFailure& e,
                                                    const source_location&) {
  throw std::runtime_error(e.text);
}
}  // namespace boost::system
