// A byte stream that is a TCP or a Unix socket, in the clear or under TLS: one type, so that Beast's
// algorithms are instantiated once. Internal to http; heavy to include.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/role.hpp>
#include <memory>
#include <optional>

namespace hearthcast::http {

namespace asio = boost::asio;

class AnyStream {
 public:
  using Socket = asio::generic::stream_protocol::socket;
  using Tls = asio::ssl::stream<Socket&>;
  using executor_type = Socket::executor_type;

  explicit AnyStream(Socket socket) : socket_(std::make_unique<Socket>(std::move(socket))) {}
  void use_tls(asio::ssl::context& context) { tls_ = std::make_unique<Tls>(*socket_, context); }

  [[nodiscard]] executor_type get_executor() { return socket_->get_executor(); }
  [[nodiscard]] Socket& socket() { return *socket_; }
  [[nodiscard]] Tls* tls() { return tls_.get(); }
  [[nodiscard]] bool is_tls() const { return tls_ != nullptr; }

  // Pending operations end with an error.
  void close() {
    boost::system::error_code ignored;
    if (socket_) {  // not given away
      socket_->close(ignored);
    }
  }
  void shutdown_send() {
    boost::system::error_code ignored;
    socket_->shutdown(Socket::shutdown_send, ignored);
  }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    if (tls_) {
      return tls_->async_read_some(buffers, std::forward<Token>(token));
    }
    return socket_->async_read_some(buffers, std::forward<Token>(token));
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    if (tls_) {
      return tls_->async_write_some(buffers, std::forward<Token>(token));
    }
    return socket_->async_write_some(buffers, std::forward<Token>(token));
  }

 private:
  std::unique_ptr<Socket> socket_;  // on the heap: tls_ refers to it while the AnyStream is moved
  std::unique_ptr<Tls> tls_;
};

// How Beast closes a stream whose time ran out.
inline void beast_close_socket(AnyStream& stream) { stream.close(); }

// How Beast ends a WebSocket's stream: both sides have said close, so nothing is left to wait for.
inline void teardown(boost::beast::role_type, AnyStream& stream, boost::system::error_code& error) {
  stream.close();
  error = {};
}
template <class Handler>
void async_teardown(boost::beast::role_type, AnyStream& stream, Handler&& handler) {
  stream.close();
  asio::post(stream.get_executor(),
             boost::beast::bind_front_handler(std::forward<Handler>(handler), boost::system::error_code{}));
}

}  // namespace hearthcast::http
