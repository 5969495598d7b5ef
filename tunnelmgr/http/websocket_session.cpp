#include "tunnelmgr/http/websocket_session.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>

#include "tunnelmgr/secure/tls_context.hpp"

namespace hearthcast::http {

namespace beast = boost::beast;
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kQueueLimit = std::size_t{256} * 1024;
constexpr std::size_t kMaxReason =
    123;  // RFC 6455 section 5.5: a control frame holds 125 octets, two are the code

WebSocketSession::WebSocketSession(AnyStream stream, Endpoint peer)
    : socket_(std::move(stream)), peer_(peer) {
  socket_.read_message_max(kMaxWebSocketMessage);
  socket_.text(true);
  if (const ssl_st* const tls = socket_.next_layer().tls_session(); tls != nullptr) {
    peer_key_ = secure::peer_key(*tls);
  }
}

void WebSocketSession::set_timeouts(beast::role_type role, std::chrono::milliseconds silence) {
  auto timeouts = beast::websocket::stream_base::timeout::suggested(role);
  timeouts.handshake_timeout = std::chrono::seconds{15};
  timeouts.idle_timeout = silence;
  timeouts.keep_alive_pings = true;  // after half of idle_timeout
  socket_.set_option(timeouts);
}

asio::awaitable<bool> WebSocketSession::accept(const UpgradeRequest& request,
                                               std::chrono::milliseconds silence) {
  set_timeouts(beast::role_type::server, silence);
  const auto [error] = co_await socket_.async_accept(request, kTuple);
  co_return !error;
}

asio::awaitable<std::optional<std::string>> WebSocketSession::connect(std::string host, std::string target,
                                                                      std::chrono::milliseconds silence) {
  set_timeouts(beast::role_type::client, silence);
  beast::websocket::response_type response;
  const auto [error] = co_await socket_.async_handshake(response, host, target, kTuple);
  std::optional<std::string> failed;
  if (error == beast::websocket::error::upgrade_declined) {
    failed = "the server answered " + std::to_string(response.result_int()) + " instead of a WebSocket";
  } else if (error) {
    failed = error.message();
  }
  co_return failed;
}

asio::awaitable<void> WebSocketSession::run() {
  const auto self = shared_from_this();
  beast::flat_buffer buffer;
  for (;;) {
    const auto [error, count] = co_await socket_.async_read(buffer, kTuple);
    if (error) {
      if (reason_.empty()) {
        const auto& said = socket_.reason().reason;
        reason_ = error == beast::websocket::error::closed && !said.empty()
                      ? std::string(said.data(), said.size())
                      : error.message();
      }
      break;
    }
    if (!socket_.got_text()) {
      cut("binary message");
      break;
    }
    if (text_ && !closing_) {
      text_(beast::buffers_to_string(buffer.data()));
    }
    buffer.consume(buffer.size());
  }
  closing_ = true;
  socket_.next_layer().close();
  // Without this Beast's timer keeps the loop busy until the last owner lets go.
  socket_.set_option({beast::websocket::stream_base::none(), beast::websocket::stream_base::none(), false});
  text_ = nullptr;
  if (const auto handler = std::exchange(close_, nullptr)) {
    handler(reason_);
  }
}

bool WebSocketSession::send(std::string text) {
  if (closing_) {
    return false;
  }
  if (queued_ + text.size() > kQueueLimit) {
    cut("too slow");
    return false;
  }
  queued_ += text.size();
  queue_.push_back(std::move(text));
  if (!std::exchange(writing_, true)) {
    asio::co_spawn(
        socket_.get_executor(), [self = shared_from_this()] { return self->write_loop(); }, asio::detached);
  }
  return true;
}

void WebSocketSession::close(std::string reason) {
  if (std::exchange(closing_, true)) {
    return;
  }
  reason_ = std::move(reason);
  if (!std::exchange(writing_, true)) {
    asio::co_spawn(
        socket_.get_executor(), [self = shared_from_this()] { return self->write_loop(); }, asio::detached);
  }
}

void WebSocketSession::cut(std::string reason) {
  closing_ = true;
  if (reason_.empty()) {
    reason_ = std::move(reason);
  }
  socket_.next_layer().close();
}

asio::awaitable<void> WebSocketSession::write_loop() {
  while (!queue_.empty()) {
    const std::string text = std::move(queue_.front());
    queue_.pop_front();
    const auto [error, count] = co_await socket_.async_write(asio::buffer(text), kTuple);
    queued_ -= text.size();
    if (error) {
      queue_.clear();
      cut(error.message());
      co_return;
    }
  }
  writing_ = false;
  if (closing_ && socket_.is_open()) {
    writing_ = true;
    const beast::websocket::close_reason reason(beast::websocket::close_code::normal,
                                                beast::string_view(reason_).substr(0, kMaxReason));
    co_await socket_.async_close(reason, kTuple);
  }
}

}  // namespace hearthcast::http
