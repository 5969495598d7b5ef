// A byte stream that is a TCP or a Unix socket, in the clear or under TLS: one type for all of Beast's
// operations. Internal to http; heavy to include.
#pragma once

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/role.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "tunnelmgr/http/completion.hpp"

struct ssl_st;  // SSL

namespace boost::asio::ssl {
class context;
}

namespace hearthcast::http {

namespace asio = boost::asio;

class AnyStream {
 public:
  using Socket = asio::generic::stream_protocol::socket;
  using executor_type = Socket::executor_type;
  enum class TlsRole { kClient, kServer };

  explicit AnyStream(Socket socket);
  ~AnyStream();
  AnyStream(AnyStream&&) noexcept;
  AnyStream& operator=(AnyStream&&) noexcept;

  void use_tls(asio::ssl::context& context);
  [[nodiscard]] bool is_tls() const { return tls_ != nullptr; }
  [[nodiscard]] ssl_st* tls_session() const;  // null without TLS

  [[nodiscard]] executor_type get_executor() { return socket_->get_executor(); }
  [[nodiscard]] Socket& socket() { return *socket_; }
  void close();  // pending operations end with an error
  void shutdown_send();

  template <class Token>
  auto async_handshake(TlsRole role, Token&& token) {
    return asio::async_initiate<Token, void(boost::system::error_code)>(
        [this](auto handler, TlsRole as) { handshake(as, Completion<>(std::move(handler))); }, token, role);
  }
  // The server's side of it, where the client's first octets were read already. They stay until it is done.
  template <class Token>
  auto async_accept(const std::vector<std::uint8_t>& read, Token&& token) {
    return asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [this](auto handler, asio::const_buffer first) {
          accept(first, Completion<std::size_t>(std::move(handler)));
        },
        token, asio::buffer(read));
  }
  // One buffer a call, as both operations may: they transfer some, not all. What a message's head consists
  // of, many small buffers, is put together first: else each header field would be a packet of its own.
  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [this](auto handler, asio::mutable_buffer into) {
          read(into, Completion<std::size_t>(std::move(handler)));
        },
        token, first_of<asio::mutable_buffer>(buffers));
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [this](auto handler, asio::const_buffer from) {
          write(from, Completion<std::size_t>(std::move(handler)));
        },
        token, gathered(buffers));
  }

 private:
  static constexpr std::size_t kGathered = 4096;  // larger buffers go as they are
  struct Tls;
  template <class Buffer, class Buffers>
  static Buffer first_of(const Buffers& buffers) {
    for (auto at = asio::buffer_sequence_begin(buffers); at != asio::buffer_sequence_end(buffers); ++at) {
      const Buffer buffer(*at);
      if (buffer.size() > 0) {
        return buffer;
      }
    }
    return {};
  }
  template <class Buffers>
  asio::const_buffer gathered(const Buffers& buffers) {
    const asio::const_buffer first = first_of<asio::const_buffer>(buffers);
    const std::size_t size = std::min(asio::buffer_size(buffers), kGathered);
    if (first.size() >= size) {
      return first;
    }
    small_.resize(size);  // one write at a time: it stays until that is done
    asio::buffer_copy(asio::buffer(small_), buffers);
    return asio::buffer(small_);
  }
  void handshake(TlsRole role, Completion<> done);
  void accept(asio::const_buffer first, Completion<std::size_t> done);
  void read(asio::mutable_buffer into, Completion<std::size_t> done);
  void write(asio::const_buffer from, Completion<std::size_t> done);

  std::unique_ptr<Socket> socket_;  // on the heap: tls_ refers to it while the AnyStream is moved
  std::unique_ptr<Tls> tls_;
  std::vector<char> small_;
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
