#include "tunnelmgr/http/dial.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "tunnelmgr/http/endpoints.hpp"
#include "tunnelmgr/secure/tls_context.hpp"

namespace hearthcast::http {

using asio::ip::tcp;
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

Dial::Dial(asio::io_context& io, Target to)
    : io_(io), to_(std::move(to)), stream_(AnyStream::Socket(io)), timer_(io) {}

void Dial::limit(std::chrono::milliseconds timeout) {
  timer_.expires_after(timeout);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!error && self) {
      self->timed_out_ = true;
      self->stream_.close();
    }
  });
}

void Dial::unlimit() { timer_.cancel(); }

asio::awaitable<std::optional<std::string>> Dial::open() {
  if (to_.unix_path.empty()) {
    co_return co_await open_tcp();
  }
  asio::local::stream_protocol::socket socket(io_);
  if (to_.unix_path.size() >= 108) {  // sun_path of unix(7)
    co_return "the path " + to_.unix_path + " is too long for a socket";
  }
  const auto [error] =
      co_await socket.async_connect(asio::local::stream_protocol::endpoint(to_.unix_path), kTuple);
  if (error) {
    co_return "cannot connect to " + to_.unix_path + ": " + error.message();
  }
  stream_ = AnyStream(AnyStream::Socket(std::move(socket)));
  co_return std::nullopt;
}

asio::awaitable<std::optional<std::string>> Dial::open_tcp() {
  tcp::resolver::results_type found;
  if (const auto literal = IpAddress::parse(to_.url.host)) {
    found = tcp::resolver::results_type::create(asio_endpoint({*literal, to_.url.port}), to_.url.host, "");
  } else {
    tcp::resolver resolver(io_);
    const auto [error, results] =
        co_await resolver.async_resolve(to_.url.host, std::to_string(to_.url.port), kTuple);
    if (error) {
      co_return "cannot find " + to_.url.host + ": " + error.message();
    }
    found = results;
  }
  std::string last = "no address";
  for (const auto& entry : found) {
    if (timed_out_) {
      break;
    }
    // The stream is in place before it connects, so that the time limit can close it.
    const tcp::endpoint to = entry.endpoint();
    stream_ = AnyStream(AnyStream::Socket(io_, AnyStream::Socket::protocol_type(to.protocol())));
    const auto [error] =
        co_await stream_.socket().async_connect(AnyStream::Socket::endpoint_type(to), kTuple);
    if (!error) {
      peer_ = endpoint_of(to);
      co_return to_.url.is_tls() ? co_await open_tls() : std::nullopt;
    }
    last = error.message();
  }
  co_return "cannot connect to " + to_.url.authority() + ": " + last;
}

asio::awaitable<std::optional<std::string>> Dial::open_tls() {
  if (!to_.tls) {
    co_return "no TLS context for " + to_.url.authority();
  }
  const auto context = asio_context(*to_.tls);
  stream_.use_tls(*context);
  to_.tls->prepare_client(*stream_.tls()->native_handle(), to_.url.host);
  const auto [error] = co_await stream_.tls()->async_handshake(asio::ssl::stream_base::client, kTuple);
  if (error) {
    const bool refused = SSL_get_verify_result(stream_.tls()->native_handle()) != X509_V_OK;
    co_return "no secure connection to " + to_.url.authority() + ": " +
        (refused ? "the server has another key than expected" : error.message());
  }
  co_return std::nullopt;
}

}  // namespace hearthcast::http
