#include "tunnelmgr/http/server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "tunnelmgr/http/connection.hpp"
#include "tunnelmgr/http/server_state.hpp"

namespace hearthcast::http {
namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds kReapInterval{500};

asio::awaitable<void> reap_loop(std::shared_ptr<ServerState> state) {
  while (!state->connections.empty()) {
    state->reaper.expires_after(kReapInterval);
    co_await state->reaper.async_wait(kTuple);
    state->reap();
  }
  state->reaping = false;
}

// From this machine.
bool is_local(Transport transport, const Endpoint& peer) {
  return transport == Transport::kUnix || peer.address.is_loopback();
}

}  // namespace

IpAddress source_prefix(const IpAddress& address) {
  if (address.is_ip4()) {
    return address;
  }
  std::array<std::uint8_t, 16> octets{};
  std::copy_n(address.bytes().begin(), 7, octets.begin());
  return IpAddress::from_bytes(octets).value_or(address);
}

void ServerState::admit(AnyStream::Socket socket, Transport transport, Endpoint peer,
                        const std::shared_ptr<asio::ssl::context>& tls) {
  const bool own = is_local(transport, peer);
  const bool full =
      own ? local >= limits.local_connections : connections.size() - local >= limits.connections;
  const IpAddress source = source_prefix(peer.address);
  const auto there = own ? per_source.end() : per_source.find(source);
  if (stopped || full || (there != per_source.end() && there->second >= limits.connections_per_source) ||
      (!own && limits.admit && !limits.admit(peer))) {
    ++counters.refused;
    return;  // the socket closes
  }
  if (own) {
    ++local;
  } else {
    ++per_source[source];
  }
  ++counters.accepted;
  AnyStream stream(std::move(socket));
  if (tls) {
    stream.use_tls(*tls);
  }
  const auto connection =
      std::make_shared<Connection>(shared_from_this(), std::move(stream), transport, peer, next_connection++);
  connections.insert(connection);
  connection->start();
  if (!std::exchange(reaping, true)) {
    asio::co_spawn(
        io, [self = shared_from_this()] { return reap_loop(self); }, asio::detached);
  }
}

void ServerState::forget(const std::shared_ptr<Connection>& connection) {
  if (connections.erase(connection) == 0) {
    return;
  }
  if (is_local(connection->transport(), connection->peer())) {
    --local;
    return;
  }
  const auto at = per_source.find(source_prefix(connection->peer().address));
  if (at != per_source.end() && --at->second == 0) {
    per_source.erase(at);
  }
}

void ServerState::reap() {
  const Time now = Clock::now();
  for (const auto& connection : connections) {
    if (connection->deadline() <= now) {
      ++counters.timed_out;
      connection->close();  // its coroutine ends later and forgets it then
    }
  }
}

Server::Server(asio::io_context& io, Log& log, Handler handler, Limits limits)
    : state_(std::make_shared<ServerState>(io, log, std::move(handler), std::move(limits))) {}

Server::~Server() { stop(); }

void Server::pass_on(PassOn elsewhere) { state_->pass_on = std::move(elsewhere); }

void Server::on_websocket(std::string path, WebSocketHandler handler) {
  state_->websockets[std::move(path)] = std::move(handler);
}

void Server::stop() {
  state_->stopped = true;
  for (const auto& listener : std::exchange(state_->listeners, {})) {
    listener->close();
  }
  // From here on only their coroutines hold the connections: these may never run again.
  for (const auto& connection : std::exchange(state_->connections, {})) {
    connection->close();
  }
  state_->per_source.clear();
  state_->local = 0;
  state_->reaper.cancel();
}

ServerCounters Server::counters() const {
  ServerCounters counters = state_->counters;
  counters.open = state_->connections.size();
  return counters;
}

}  // namespace hearthcast::http
