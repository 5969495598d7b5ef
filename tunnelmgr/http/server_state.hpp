// What a server and its connections share. Internal to http.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <set>

#include "tunnelmgr/http/any_stream.hpp"
#include "tunnelmgr/http/server.hpp"

namespace hearthcast::http {

class Connection;

struct Listener {
  virtual ~Listener() = default;
  virtual void close() = 0;
  virtual void use_tls(const std::shared_ptr<asio::ssl::context>& context) = 0;  // where it speaks TLS
};

struct ServerState : std::enable_shared_from_this<ServerState> {
  ServerState(asio::io_context& context, Log& l, Handler h, Limits lim)
      : io(context), log(l), handler(std::move(h)), limits(std::move(lim)), reaper(context) {}

  asio::io_context& io;
  Log& log;
  Handler handler;
  Limits limits;
  std::map<std::string, WebSocketHandler> websockets;
  std::optional<PassOn> pass_on;
  std::vector<std::shared_ptr<Listener>> listeners;  // shared with their accept loops
  std::set<std::shared_ptr<Connection>> connections;
  std::size_t local = 0;  // of these, from this machine
  std::map<IpAddress, std::size_t> per_source;
  std::size_t large_bodies = 0;  // held now
  asio::steady_timer reaper;
  bool reaping = false;
  bool stopped = false;
  ServerCounters counters;
  std::uint64_t next_connection = 1;

  // Takes a fresh socket in, or closes it when a limit is reached.
  void admit(AnyStream::Socket socket, Transport transport, Endpoint peer,
             const std::shared_ptr<asio::ssl::context>& tls);
  void forget(const std::shared_ptr<Connection>& connection);
  void reap();  // closes connections past their deadline, twice a second while there are any
};

// The address under which connections of one site are counted: IPv4 whole, IPv6 by /56.
[[nodiscard]] IpAddress source_prefix(const IpAddress& address);

}  // namespace hearthcast::http
