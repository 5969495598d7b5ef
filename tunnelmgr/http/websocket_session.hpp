// The implementation of WebSocket over Beast, for server and client. Internal to http; heavy to include.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <chrono>
#include <deque>

#include "tunnelmgr/http/any_stream.hpp"
#include "tunnelmgr/http/websocket.hpp"

namespace hearthcast::http {

class WebSocketSession : public WebSocket, public std::enable_shared_from_this<WebSocketSession> {
 public:
  WebSocketSession(AnyStream stream, Endpoint peer);

  void on_text(TextHandler handler) override { text_ = std::move(handler); }
  void on_close(CloseHandler handler) override { close_ = std::move(handler); }
  bool send(std::string text) override;
  void close(std::string reason) override;
  [[nodiscard]] Endpoint peer() const override { return peer_; }
  [[nodiscard]] std::optional<Sha256> peer_key() const override { return peer_key_; }

  using UpgradeRequest = boost::beast::http::request<boost::beast::http::string_body>;
  asio::awaitable<bool> accept(const UpgradeRequest& request, std::chrono::milliseconds silence);
  // Error text, or nullopt when the other side agreed.
  asio::awaitable<std::optional<std::string>> connect(std::string host, std::string target,
                                                      std::chrono::milliseconds silence);
  asio::awaitable<void> run();   // reads until the end; on_close has been called when it returns
  void cut(std::string reason);  // at once, without a closing handshake

 private:
  asio::awaitable<void> write_loop();
  void set_timeouts(boost::beast::role_type role, std::chrono::milliseconds silence);

  boost::beast::websocket::stream<AnyStream, false>
      socket_;  // false: no permessage-deflate, no memory for it
  Endpoint peer_;
  std::optional<Sha256> peer_key_;
  TextHandler text_;
  CloseHandler close_;
  std::deque<std::string> queue_;
  std::size_t queued_ = 0;
  std::string reason_;
  bool closing_ = false;
  bool writing_ = false;
};

}  // namespace hearthcast::http
