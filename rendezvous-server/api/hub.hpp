// The network side of the rendezvous: WebSocket sessions, the UDP presence port, and the store on its worker,
// around the pure Service. Control thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "rendezvous-server/introduce/service.hpp"
#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/secure/tls_context.hpp"

namespace hearthcast::rendezvous {

struct HubSettings {
  Endpoint listen{IpAddress::any(Family::kIp6), 443};
  Endpoint presence{IpAddress::any(Family::kIp6), 3478};
  std::filesystem::path database;  // empty: lists are kept in memory only
  std::string control_socket;      // empty: none
  std::size_t connections = 20000;
  std::size_t connections_per_source = 256;
  Policy policy;  // its presence_port is filled in from `presence`
};

struct HubStatus {
  std::size_t boxes = 0;
  std::size_t devices = 0;
  std::size_t known_boxes = 0;  // with a stored list
  ServiceCounters counters;
  std::uint64_t presence_answered = 0;
  std::uint64_t presence_dropped = 0;
  std::size_t connections = 0;
  Sha256 key{};  // what clients pin
};

class Hub {
 public:
  // Opens the ports and the store. io and log outlive the hub; tls is a server's context.
  [[nodiscard]] static Result<std::unique_ptr<Hub>, Failure> open(boost::asio::io_context& io, Log& log,
                                                                  const Crypto& crypto, Random& random,
                                                                  std::shared_ptr<secure::TlsContext> tls,
                                                                  HubSettings settings);
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  void stop();
  [[nodiscard]] HubStatus status() const;
  [[nodiscard]] Endpoint listening() const;  // as bound: settings may say port 0
  [[nodiscard]] Endpoint presence() const;

 private:
  struct State;
  explicit Hub(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared with what the loop still has to call back
};

// GET /status on the control socket, and what `hearthcast-rendezvous status` prints.
[[nodiscard]] std::string to_json(const HubStatus& status);

}  // namespace hearthcast::rendezvous
