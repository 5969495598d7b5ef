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

// For an address while others wait: longer than a connection takes, shorter than who waits for it bears.
constexpr auto kPatience = std::chrono::milliseconds{2500};

Dial::Dial(asio::io_context& io, Target to)
    : io_(io), to_(std::move(to)), stream_(AnyStream::Socket(io)), resolver_(io), timer_(io), step_(io) {}

void Dial::limit(std::chrono::milliseconds timeout) {
  until_ = Clock::now() + timeout;
  timer_.expires_at(until_);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!error && self) {
      self->timed_out_ = true;
      self->stream_.close();
      self->resolver_.cancel();
      self->step_.cancel();
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
    failed = cannot_connect(to_.unix_path, error == asio::error::access_denied
                                               ? "this user may not; try it as root, with sudo"
                                               : error.message());
  } else {
    stream_ = AnyStream(AnyStream::Socket(std::move(socket)));
  }
  co_return failed;
}

// Ends step_. What asks the name servers cannot be interrupted: its answer may come when nobody waits any
// more.
void Dial::resolve() {
  step_.expires_at(kNever);
  resolver_.async_resolve(to_.url.host, std::to_string(to_.url.port),
                          [weak = weak_from_this()](const boost::system::error_code& error,
                                                    const tcp::resolver::results_type& results) {
                            const auto self = weak.lock();
                            if (!self || self->timed_out_) {
                              return;
                            }
                            self->resolve_error_ = error;
                            for (const auto& entry : results) {
                              self->found_.push_back(entry.endpoint());
                            }
                            self->step_.cancel();
                          });
}

asio::awaitable<std::optional<std::string>> Dial::open_tcp() {
  if (const auto literal = IpAddress::parse(to_.url.host)) {
    found_ = {asio_endpoint({*literal, to_.url.port})};
  } else {
    resolve();
    co_await step_.async_wait(kTuple);
  }
  Outcome outcome;
  if (resolve_error_) {
    outcome = cannot_connect(to_.url.host, resolve_error_.message());
  } else {
    outcome = co_await open_at(found_);
  }
  co_return outcome;
}

// The last one has all the time that is left.
unsigned Dial::begin_attempt(std::size_t addresses_left) {
  const unsigned attempt = ++attempt_;
  if (addresses_left > 1) {
    const Duration share = (until_ - Clock::now()) / static_cast<Duration::rep>(addresses_left);
    step_.expires_after(std::min<Duration>(share, kPatience));
    step_.async_wait([weak = weak_from_this(), attempt](const boost::system::error_code& error) {
      const auto self = weak.lock();
      if (!error && self && self->end_attempt(attempt)) {
        self->stream_.close();
      }
    });
  }
  return attempt;
}

bool Dial::end_attempt(unsigned attempt) {
  if (attempt_ != attempt) {
    return false;
  }
  ++attempt_;
  step_.cancel();
  return true;
}

asio::awaitable<std::optional<std::string>> Dial::open_at(std::vector<tcp::endpoint> addresses) {
  Outcome outcome = cannot_connect(to_.url.authority(), "it has no address");
  for (std::size_t n = 0; n < addresses.size() && !timed_out_; ++n) {
    // The stream is in place before it connects, so that the time limits can close it.
    const tcp::endpoint to = addresses[n];
    stream_ = AnyStream(AnyStream::Socket(io_, AnyStream::Socket::protocol_type(to.protocol())));
    const AnyStream::Socket::endpoint_type generic(to);
    const unsigned attempt = begin_attempt(addresses.size() - n);
    const auto [error] = co_await stream_.socket().async_connect(generic, kTuple);
    const bool in_time = end_attempt(attempt);
    if (!error && in_time) {
      peer_ = endpoint_of(to);
      outcome.reset();
      if (to_.url.is_tls()) {
        outcome = co_await open_tls();
      }
      break;
    }
    outcome = cannot_connect(to_.url.authority(), in_time ? error.message() : std::string("no answer"));
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
