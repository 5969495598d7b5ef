// The network side of the rendezvous: WebSocket sessions, the UDP presence port, the operator's socket, and
// the store on its worker, around the pure Service. Control thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "rendezvous-server/introduce/service.hpp"
#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/secure/tls_context.hpp"

namespace hearthcast::rendezvous {

struct HubSettings {
  Endpoint listen{IpAddress::any(Family::kIp6), 443};
  Endpoint presence{IpAddress::any(Family::kIp6), 3478};
  std::optional<Endpoint> relay;   // where connections are led whose client offers `stun.turn`; none
  std::optional<Endpoint> health;  // where metrics, liveness and readiness are told to whoever asks; none
  std::filesystem::path database;  // empty: nothing outlives the program
  std::string control_socket;      // empty: none
  std::size_t connections = 20000;
  std::size_t connections_per_source = 256;
  Rate connects{300, std::chrono::minutes{1}};  // new ones from one source, before TLS; not from this machine
  Policy policy;  // its presence_port is filled in from `presence`, its unix_time is the machine's
};

struct HubStatus {
  std::size_t boxes = 0;
  std::size_t devices = 0;
  std::size_t known_boxes = 0;     // with a stored list
  std::size_t enrolled_boxes = 0;  // in the directory
  std::size_t closed_boxes = 0;    // of them
  ServiceCounters counters;
  std::uint64_t presence_answered = 0;
  std::uint64_t presence_dropped = 0;
  std::size_t connections = 0;
  std::uint64_t connections_refused = 0;    // over a limit
  std::uint64_t connections_timed_out = 0;  // too slow
  std::uint64_t connections_bad = 0;        // malformed or too large
  std::uint64_t connections_to_relay = 0;   // led to the relay
  bool draining = false;
  bool stopped = false;
  bool stores = true;  // false: what was to be written last could not be
  Sha256 key{};        // what clients pin
};

class Hub {
 public:
  // Opens the ports and the store. io and log outlive the hub; tls is a server's context.
  [[nodiscard]] static Result<std::unique_ptr<Hub>, Failure> open(
      boost::asio::io_context& io, Log& log, const Crypto& crypto, Random& random,
      const std::shared_ptr<secure::TlsContext>& tls, HubSettings settings);
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  void stop();
  // Shows another certificate from now on; sessions that stand go on.
  void replace_tls(secure::TlsContext& tls);
  [[nodiscard]] HubStatus status() const;
  [[nodiscard]] Endpoint listening() const;  // as bound: settings may say port 0
  [[nodiscard]] Endpoint presence() const;
  [[nodiscard]] std::optional<Endpoint> health() const;

 private:
  struct State;
  explicit Hub(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared with what the loop still has to call back
};

}  // namespace hearthcast::rendezvous
