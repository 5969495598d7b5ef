// HTTP/1.1 server on TCP, TLS and Unix sockets: reads requests within limits and gives them to one handler.
// Everything runs on the io_context's one thread: handlers must not block; they may answer later through the
// Responder. Slow, silent and oversized clients are cut off by deadlines that a trickle of octets does not
// move.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/http/responder.hpp"
#include "tunnelmgr/http/websocket.hpp"

namespace hearthcast::secure {
class TlsContext;
}

namespace hearthcast::http {

struct Limits {
  std::uint32_t header_bytes = 16 * 1024;
  std::size_t body_bytes = std::size_t{1} << 20;
  // Overrides body_bytes by the request's head (its body is still empty); called before the body is read.
  std::function<std::size_t(const Request&)> body_limit;
  // Bodies beyond this size that are held at once, by all connections; one more gets 503, to come again.
  std::size_t large_body = std::size_t{64} * 1024;
  std::size_t large_bodies = 4;
  // Asked with the head of a request that brings one, before it is read: an answer refuses it, and ends the
  // connection.
  std::function<std::optional<Response>(const Request&)> refuse_large;
  // What a request gets that the handler never sees: malformed, too large, one too many. Absent: `text` as
  // plain text.
  std::function<Response(int status, const char* text)> refusal;
  std::size_t stream_queue_bytes = std::size_t{256} * 1024;
  std::chrono::milliseconds head_timeout = std::chrono::seconds{10};  // also the TLS handshake
  std::chrono::milliseconds body_timeout = std::chrono::seconds{60};
  std::chrono::milliseconds idle_timeout = std::chrono::seconds{60};     // between requests
  std::chrono::milliseconds write_timeout = std::chrono::seconds{30};    // one response or chunk
  std::chrono::milliseconds answer_timeout = std::chrono::seconds{120};  // the handler
  // Silence after which a WebSocket is dropped; it is pinged after half of it.
  std::chrono::milliseconds websocket_timeout = std::chrono::seconds{100};
  // Asked about each TCP connection from another machine before anything of it is read; false closes it.
  std::function<bool(const Endpoint&)> admit;
  std::size_t connections = 512;            // from other machines
  std::size_t connections_per_source = 64;  // of these, per IPv4 address or IPv6 /56
  std::size_t local_connections = 128;      // by loopback and Unix sockets: there whatever others do
};

struct ServerCounters {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;    // over a connection limit
  std::uint64_t requests = 0;   // read whole
  std::uint64_t bad = 0;        // malformed or oversized
  std::uint64_t timed_out = 0;  // cut by a deadline
  std::uint64_t passed_on = 0;  // led to another server
  std::size_t open = 0;
};

// A protocol that a TLS client may offer (ALPN), and the server that speaks it.
struct PassOn {
  std::string protocol;
  Endpoint to;
};

struct ServerState;

class Server {
 public:
  // io, log and what handler refers to outlive the server. The destructor stops.
  Server(boost::asio::io_context& io, Log& log, Handler handler, Limits limits = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Listens, on TLS when tls is given. Port 0 picks one; returns what it got. `[::]` takes IPv4 too, and
  // falls back to 0.0.0.0 on a machine without IPv6.
  [[nodiscard]] Result<Endpoint, Failure> listen_tcp(
      Endpoint at, const std::shared_ptr<secure::TlsContext>& tls = nullptr);
  // A left-over socket file of a dead program is replaced; one that answers is a Failure. mode: permission
  // bits.
  [[nodiscard]] Result<void, Failure> listen_unix(const std::string& path, unsigned mode = 0660);
  // New connections to the TLS listeners are shown this certificate; those that stand keep the one they saw.
  void replace_tls(secure::TlsContext& tls);
  // From now on clients of the TLS listeners that offer this protocol are led there, unopened: two servers
  // share one port. The limits of connections count them, too.
  void pass_on(PassOn elsewhere);
  void on_websocket(std::string path, WebSocketHandler handler);  // requests to upgrade elsewhere get 404
  void stop();  // closes listeners and connections; idempotent
  [[nodiscard]] ServerCounters counters() const;

 private:
  // Shared with connections and listeners, which end only when the io_context next runs.
  std::shared_ptr<ServerState> state_;
};

}  // namespace hearthcast::http
