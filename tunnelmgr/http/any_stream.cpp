#include "tunnelmgr/http/any_stream.hpp"

#include <boost/asio/ssl/stream.hpp>

namespace hearthcast::http {

struct AnyStream::Tls {
  asio::ssl::stream<Socket&> stream;
};

AnyStream::AnyStream(Socket socket) : socket_(std::make_unique<Socket>(std::move(socket))) {}
AnyStream::~AnyStream() = default;
AnyStream::AnyStream(AnyStream&&) noexcept = default;

AnyStream& AnyStream::operator=(AnyStream&& other) noexcept {
  tls_ = std::move(other.tls_);  // before the socket that the old one refers to
  socket_ = std::move(other.socket_);
  small_ = std::move(other.small_);
  return *this;
}

void AnyStream::use_tls(asio::ssl::context& context) {
  tls_ = std::unique_ptr<Tls>(new Tls{asio::ssl::stream<Socket&>(*socket_, context)});
}

ssl_st* AnyStream::tls_session() const { return tls_ ? tls_->stream.native_handle() : nullptr; }

void AnyStream::close() {
  boost::system::error_code ignored;
  if (socket_) {  // not moved away
    socket_->close(ignored);
  }
}

void AnyStream::shutdown_send() {
  boost::system::error_code ignored;
  socket_->shutdown(Socket::shutdown_send, ignored);
}

void AnyStream::handshake(TlsRole role, Completion<> done) {
  tls_->stream.async_handshake(
      role == TlsRole::kClient ? asio::ssl::stream_base::client : asio::ssl::stream_base::server,
      std::move(done));
}

void AnyStream::accept(asio::const_buffer first, Completion<std::size_t> done) {
  tls_->stream.async_handshake(asio::ssl::stream_base::server, first, std::move(done));
}

void AnyStream::read(asio::mutable_buffer into, Completion<std::size_t> done) {
  if (tls_) {
    tls_->stream.async_read_some(into, std::move(done));
  } else {
    socket_->async_read_some(into, std::move(done));
  }
}

void AnyStream::write(asio::const_buffer from, Completion<std::size_t> done) {
  if (tls_) {
    tls_->stream.async_write_some(from, std::move(done));
  } else {
    socket_->async_write_some(from, std::move(done));
  }
}

}  // namespace hearthcast::http
