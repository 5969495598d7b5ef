// The listening half of a server: TCP and Unix sockets.
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "tunnelmgr/http/endpoints.hpp"
#include "tunnelmgr/http/server_state.hpp"

namespace hearthcast::http {
namespace {

using asio::ip::tcp;
using Unix = asio::local::stream_protocol;
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

template <class Protocol>
struct AcceptLoop : Listener, std::enable_shared_from_this<AcceptLoop<Protocol>> {
  AcceptLoop(const std::shared_ptr<ServerState>& s, typename Protocol::acceptor a)
      : server(s), acceptor(std::move(a)), pause(s->io) {}

  std::weak_ptr<ServerState> server;  // it owns this
  typename Protocol::acceptor acceptor;
  asio::steady_timer pause;
  Transport transport = Transport::kHttp;
  std::shared_ptr<asio::ssl::context> tls;  // shared with the connections, which may outlive the listener
  std::string unlink_at_end;

  void start() {
    asio::co_spawn(
        acceptor.get_executor(), [self = this->shared_from_this()] { return self->run(); }, asio::detached);
  }
  void close() override {
    boost::system::error_code ignored;
    acceptor.close(ignored);
    pause.cancel();
    if (!unlink_at_end.empty()) {
      ::unlink(unlink_at_end.c_str());
    }
  }
  void use_tls(const std::shared_ptr<asio::ssl::context>& context) override {
    if (tls) {
      tls = context;
    }
  }
  asio::awaitable<void> run() {
    const auto self = this->shared_from_this();
    while (acceptor.is_open()) {
      typename Protocol::socket socket(acceptor.get_executor());
      typename Protocol::endpoint from;
      const auto [error] = co_await acceptor.async_accept(socket, from, kTuple);
      const auto state = server.lock();
      if (!state || !acceptor.is_open()) {
        co_return;
      }
      if (error) {  // out of descriptors, most likely: connections in hand go on, new ones wait
        state->log.warning("http_accept_failed", {{"error", error.message()}});
        pause.expires_after(std::chrono::milliseconds{200});
        co_await pause.async_wait(kTuple);
        continue;
      }
      Endpoint peer;
      if constexpr (std::is_same_v<Protocol, tcp>) {
        boost::system::error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        peer = endpoint_of(from);
      }
      state->admit(AnyStream::Socket(std::move(socket)), transport, peer, tls);
    }
  }
};

boost::system::error_code open(tcp::acceptor& acceptor, const tcp::endpoint& at) {
  boost::system::error_code error;
  acceptor.open(at.protocol(), error);
  if (!error && at.address().is_v6()) {
    acceptor.set_option(asio::ip::v6_only(!at.address().is_unspecified()), error);
  }
  if (!error) {
    acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  }
  if (!error) {
    acceptor.bind(at, error);
  }
  if (!error) {
    acceptor.listen(1024, error);
  }
  return error;
}

// True when a program answers on the socket; false for a file that a dead one left.
bool answers(asio::io_context& io, const std::string& path) {
  Unix::socket probe(io);
  boost::system::error_code error;
  probe.connect(Unix::endpoint(path), error);
  return !error;
}

}  // namespace

Result<Endpoint, Failure> Server::listen_tcp(Endpoint at, const std::shared_ptr<secure::TlsContext>& tls) {
  tcp::acceptor acceptor(state_->io);
  auto error = open(acceptor, asio_endpoint(at));
  if (error == boost::system::errc::address_family_not_supported && at.address.is_ip6() &&
      at.address.is_unspecified()) {
    at.address = IpAddress::any(Family::kIp4);
    acceptor = tcp::acceptor(state_->io);
    error = open(acceptor, asio_endpoint(at));
  }
  if (error) {
    return Failure{
        "cannot listen on TCP " + at.to_string() + ": " + error.message() +
        (error == boost::system::errc::address_in_use ? "; another program uses this port" : "") +
        (error == boost::system::errc::permission_denied ? "; ports below 1024 need a privilege" : "")};
  }
  const Endpoint bound{at.address, acceptor.local_endpoint().port()};
  auto loop = std::make_shared<AcceptLoop<tcp>>(state_, std::move(acceptor));
  if (tls) {
    loop->transport = Transport::kHttps;
    loop->tls = asio_context(*tls);
  }
  loop->start();
  state_->listeners.push_back(std::move(loop));
  return bound;
}

void Server::replace_tls(secure::TlsContext& tls) {
  const auto context = asio_context(tls);
  for (const auto& listener : state_->listeners) {
    listener->use_tls(context);
  }
}

Result<void, Failure> Server::listen_unix(const std::string& path, unsigned mode) {
  boost::system::error_code error;
  if (path.size() >= 108) {  // sun_path of unix(7)
    return Failure{"cannot listen on " + path + ": the path is longer than 107 characters"};
  }
  if (::access(path.c_str(), F_OK) == 0) {
    if (answers(state_->io, path)) {
      return Failure{"cannot listen on " + path + ": another instance is running and answers there"};
    }
    ::unlink(path.c_str());
  }
  Unix::acceptor acceptor(state_->io);
  acceptor.open(Unix(), error);
  if (!error) {
    acceptor.bind(Unix::endpoint(path), error);
  }
  if (!error && ::chmod(path.c_str(), static_cast<mode_t>(mode)) != 0) {
    error = {errno, boost::system::system_category()};
  }
  if (!error) {
    acceptor.listen(128, error);
  }
  if (error) {
    return Failure{"cannot listen on " + path + ": " + error.message() +
                   "; does its folder exist, and may this user write there?"};
  }
  auto loop = std::make_shared<AcceptLoop<Unix>>(state_, std::move(acceptor));
  loop->transport = Transport::kUnix;
  loop->unlink_at_end = path;
  loop->start();
  state_->listeners.push_back(std::move(loop));
  return {};
}

}  // namespace hearthcast::http
