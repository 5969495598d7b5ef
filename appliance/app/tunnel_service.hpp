// The box's tunnels in the running program: the shared UDP socket, the data thread, the sessions, and the
// rendezvous. Everything here belongs to the control thread; the household is only touched through the
// worker.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "appliance/api/live.hpp"
#include "appliance/app/introducer.hpp"
#include "appliance/app/peer_settings.hpp"
#include "appliance/app/sessions.hpp"
#include "appliance/household/household.hpp"
#include "appliance/multicast/settings.hpp"
#include "tunnelmgr/http/responder.hpp"
#include "tunnelmgr/linux/netd_client.hpp"
#include "tunnelmgr/runtime/worker.hpp"
#include "tunnelmgr/secure/identity.hpp"
#include "tunnelmgr/signalling/pairing_code.hpp"
#include "tunnelmgr/signalling/relay_policy.hpp"

namespace boost::asio {
class io_context;
}

namespace hearthcast::app {

struct TunnelSettings {
  std::string name = "Home";                           // what devices call this box
  std::uint16_t port = 4755;                           // UDP, all addresses
  std::uint8_t dscp = 34;                              // of all tunnels' packets
  bool port_mapping = false;                           // ask the router to let the port in
  bool gather = true;                                  // datagrams, where very many come
  bool answer_lan = true;                              // be found by mDNS
  std::string public_address;                          // as tunnel::ReachAddress reads it; empty: none
  std::string upstream_interface;                      // empty: chosen (upstream.hpp)
  Prefix inner_ip4 = *Prefix::parse("10.203.0.0/16");  // that sessions::parse_inner_ip4() accepts
  std::optional<signalling::RendezvousAddress> rendezvous;
  std::string rendezvous_token;  // of its operator; empty: none
  signalling::RelayPolicy relay = signalling::RelayPolicy::kAuto;
  multicast::MulticastSettings multicast;  // that passed proxy::check()
  std::vector<PeerSettings> peers;         // that passed check_together()
};

class TunnelService final : public api::LiveSource {
 public:
  struct Needs {  // all outlive the service
    boost::asio::io_context& io;
    Log& log;
    runtime::Worker& worker;
    household::Household& household;
    const secure::OpenSslIdentity& identity;
    const Crypto& crypto;
    Random& random;
    linux::NetdClient& netd;  // for receive buffers beyond what the kernel allows
  };
  // Before the worker has its first job: reads from the household directly. A Failure says what to do.
  [[nodiscard]] static Result<std::unique_ptr<TunnelService>, Failure> start(const Needs& needs,
                                                                             const TunnelSettings& settings);
  ~TunnelService() override;

  // The household's publication, carried over to the control thread.
  void on_snapshot(const household::Snapshot& snapshot);
  // The settings file says something else now; it passed proxy::check().
  void on_multicast_settings(multicast::MulticastSettings settings);
  // Addresses of this box that a device at home could reach, as it looks now.
  [[nodiscard]] std::vector<IpAddress> addresses() const;
  // A request of a player at home: playlist::is_lan_path().
  void serve_lan(const http::Request& request, http::Responder responder);
  // The box's TCP ports that devices with an interface of their own reach inside their tunnels.
  void serve_inside(std::vector<std::uint16_t> tcp_ports);
  // For the watchdog: the data thread turns.
  [[nodiscard]] bool alive() const;
  // Says goodbye to every device and ends the data thread; harmless when repeated.
  void stop();

  [[nodiscard]] api::LiveState live() const override;
  [[nodiscard]] multicast::MulticastStatus multicast() const override;

 private:
  struct State;
  explicit TunnelService(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // jobs of the worker that are on their way hold it weakly
};

}  // namespace hearthcast::app
