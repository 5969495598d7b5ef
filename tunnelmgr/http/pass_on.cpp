// The clients of a TLS listener that are another server's: carried there as they are, both ways, until
// either end has done.
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "tunnelmgr/http/connection.hpp"
#include "tunnelmgr/http/endpoints.hpp"
#include "tunnelmgr/secure/client_hello.hpp"

namespace hearthcast::http {
namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kPiece = std::size_t{16} * 1024;
constexpr std::size_t kLongestHello = kPiece;
constexpr std::chrono::minutes kSilence{11};  // a TURN client refreshes within ten (RFC 8656 section 3.2)

}  // namespace

// Reads no further than the ClientHello; what was read is the beginning of either conversation.
asio::awaitable<bool> Connection::belongs_elsewhere(Buffer& read) {
  secure::ClientHello hello;
  std::array<std::uint8_t, 2048> piece{};
  while (hello.state() == secure::ClientHello::State::kMore && read.size() < kLongestHello) {
    const auto [error, count] = co_await stream_.socket().async_read_some(asio::buffer(piece), kTuple);
    if (error) {
      break;
    }
    read.insert(read.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(count));
    hello.put(Bytes(piece).first(count));
  }
  co_return hello.offers(server_->pass_on->protocol);
}

asio::awaitable<void> Connection::carry(Buffer first) {
  using Socket = AnyStream::Socket;
  const auto to = asio_endpoint(server_->pass_on->to);
  const auto far = std::make_shared<Socket>(stream_.get_executor(), Socket::protocol_type(to.protocol()));
  stop_ = [far] {
    boost::system::error_code ignored;
    far->close(ignored);
  };
  const auto [failed] = co_await far->async_connect(Socket::endpoint_type(to), kTuple);
  if (failed) {
    server_->log.warning("pass_on_failed",
                         {{"to", server_->pass_on->to.to_string()}, {"error", failed.message()}});
    co_return;
  }
  ++server_->counters.passed_on;
  const auto [error, count] = co_await asio::async_write(*far, asio::buffer(first), kTuple);
  if (!error && !closed_) {
    asio::co_spawn(
        stream_.get_executor(),
        [self = shared_from_this(), far]() -> asio::awaitable<void> {
          co_await self->pump(*far, self->stream_.socket());
          self->close();
        },
        asio::detached);
    co_await pump(stream_.socket(), *far);
  }
}

asio::awaitable<void> Connection::pump(AnyStream::Socket& from, AnyStream::Socket& to) {
  Buffer piece(kPiece);
  while (!closed_) {
    set_deadline(kSilence);
    const auto [end, count] = co_await from.async_read_some(asio::buffer(piece), kTuple);
    if (end) {
      co_return;
    }
    const auto [error, written] = co_await asio::async_write(to, asio::buffer(piece.data(), count), kTuple);
    if (error) {
      co_return;
    }
  }
}

}  // namespace hearthcast::http
