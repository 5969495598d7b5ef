// One connection of a server, from accept to close. Internal to http.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/http/exchange.hpp"
#include "tunnelmgr/http/server_state.hpp"

namespace hearthcast::http {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<ServerState> server, AnyStream stream, Transport transport, Endpoint peer,
             std::uint64_t id);

  void start();
  void close();  // at once; the coroutines end with errors
  [[nodiscard]] Time deadline() const { return deadline_; }
  [[nodiscard]] const Endpoint& peer() const { return peer_; }
  [[nodiscard]] Transport transport() const { return transport_; }

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  enum class Next { kKeep, kClose, kGone };  // kGone: the socket was given away

  asio::awaitable<void> run();
  asio::awaitable<void> serve();
  asio::awaitable<bool> handshake();
  // pass_on.cpp. Whether the client offers the protocol that is served elsewhere; `read` is what it has said.
  asio::awaitable<bool> belongs_elsewhere(Buffer& read);
  asio::awaitable<void> carry(Buffer first);
  asio::awaitable<void> pump(AnyStream::Socket& from, AnyStream::Socket& to);  // until either ends
  // nullopt: the connection is to end; a malformed request has been answered.
  asio::awaitable<std::optional<Request>> read_request(Parser& parser);
  asio::awaitable<void> refuse(int status, const char* text);
  asio::awaitable<void> refuse(Response response);
  void hold_large_body(bool hold);
  asio::awaitable<Next> handle(Request request, bool keep_alive);
  asio::awaitable<std::optional<Answer>> wait_for(std::shared_ptr<Exchange> exchange);
  asio::awaitable<bool> write(const Response& response, bool head_only, bool keep_alive, unsigned version);
  asio::awaitable<bool> write_head(const Response& head, bool chunked);
  asio::awaitable<void> feed(StreamAnswer answer, bool chunked);
  asio::awaitable<void> watch_for_close(std::shared_ptr<Stream> stream);
  asio::awaitable<Next> hand_over(DetachAnswer answer);
  asio::awaitable<void> upgrade(Request request, Parser& parser);
  void set_deadline(std::chrono::milliseconds from_now) { deadline_ = Clock::now() + from_now; }
  [[nodiscard]] std::function<void()> waker();
  [[nodiscard]] Request head_of(const Parser& parser) const;

  std::shared_ptr<ServerState> server_;  // outlives the Server object until the coroutines have ended
  AnyStream stream_;
  Transport transport_;
  Endpoint peer_;
  std::uint64_t id_;
  boost::beast::flat_buffer buffer_;
  asio::steady_timer wake_;
  Time deadline_ = kNever;
  unsigned version_ = 11;
  bool closed_ = false;
  bool holds_large_body_ = false;  // one of the server's budget, from before it is read until it was answered
  std::function<void()> stop_;     // set while a WebSocket or another server has the stream
};

}  // namespace hearthcast::http
