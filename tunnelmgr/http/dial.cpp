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

// Texts are made outside of the coroutines: g++ 12 destroys temporaries of a co_return expression twice.
namespace {

using Outcome = std::optional<std::string>;

Outcome cannot_connect(const std::string& to, const std::string& why) {
  return "cannot connect to " + to + ": " + why;
}

Outcome not_secure(const std::string& to, bool key_refused, const std::string& why) {
  return "no secure connection to " + to + ": " +
         (key_refused ? "the server has another key than expected" : why);
}

}  // namespace

asio::awaitable<std::optional<std::string>> Dial::open() {
  if (to_.unix_path.empty()) {
    Outcome outcome = co_await open_tcp();
    co_return outcome;
  }
  asio::local::stream_protocol::socket socket(io_);
  Outcome failed;
  if (to_.unix_path.size() >= 108) {  // sun_path of unix(7)
    failed = cannot_connect(to_.unix_path, "the path is too long for a socket");
    co_return failed;
  }
  const asio::local::stream_protocol::endpoint to(to_.unix_path);
  const auto [error] = co_await socket.async_connect(to, kTuple);
  if (error) {
    failed = cannot_connect(to_.unix_path, error.message());
  } else {
    stream_ = AnyStream(AnyStream::Socket(std::move(socket)));
  }
  co_return failed;
}

asio::awaitable<std::optional<std::string>> Dial::open_tcp() {
  tcp::resolver::results_type found;
  Outcome outcome;
  if (const auto literal = IpAddress::parse(to_.url.host)) {
    found = tcp::resolver::results_type::create(asio_endpoint({*literal, to_.url.port}), to_.url.host, "");
  } else {
    tcp::resolver resolver(io_);
    const std::string port = std::to_string(to_.url.port);
    const auto [error, results] = co_await resolver.async_resolve(to_.url.host, port, kTuple);
    if (error) {
      outcome = cannot_connect(to_.url.host, error.message());
      co_return outcome;
    }
    found = results;
  }
  outcome = cannot_connect(to_.url.authority(), "it has no address");
  for (const auto& entry : found) {
    if (timed_out_) {
      break;
    }
    // The stream is in place before it connects, so that the time limit can close it.
    const tcp::endpoint to = entry.endpoint();
    stream_ = AnyStream(AnyStream::Socket(io_, AnyStream::Socket::protocol_type(to.protocol())));
    const AnyStream::Socket::endpoint_type generic(to);
    const auto [error] = co_await stream_.socket().async_connect(generic, kTuple);
    if (!error) {
      peer_ = endpoint_of(to);
      outcome.reset();
      if (to_.url.is_tls()) {
        outcome = co_await open_tls();
      }
      break;
    }
    outcome = cannot_connect(to_.url.authority(), error.message());
  }
  co_return outcome;
}

asio::awaitable<std::optional<std::string>> Dial::open_tls() {
  Outcome outcome;
  if (!to_.tls) {
    outcome = not_secure(to_.url.authority(), false, "no TLS context");
    co_return outcome;
  }
  const auto context = asio_context(*to_.tls);
  stream_.use_tls(*context);
  to_.tls->prepare_client(*stream_.tls_session(), to_.url.host);
  const auto [error] = co_await stream_.async_handshake(AnyStream::TlsRole::kClient, kTuple);
  if (error) {
    const bool refused = !secure::peer_accepted(*stream_.tls_session());
    outcome = not_secure(to_.url.authority(), refused, error.message());
  }
  co_return outcome;
}

}  // namespace hearthcast::http
