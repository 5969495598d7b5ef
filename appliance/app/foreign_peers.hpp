// The foreign peers of the settings on the control thread: for each one that is somewhere, the box is querier
// in its tunnel and its reports become flows. No socket, no clock. Control thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "appliance/api/live.hpp"
#include "appliance/app/sessions.hpp"
#include "appliance/forward/messages.hpp"
#include "appliance/sessions/peer_tunnel.hpp"
#include "tunnelmgr/base/log.hpp"

namespace hearthcast::app {

struct ForeignPeer {
  std::string name;
  std::string encapsulation;
  access::Grants grants;
  bool carries_ip4 = true;
  bool learnt = false;
  std::string trouble;  // it could not be opened
};

class ForeignPeers {
 public:
  // Ids beyond those of devices' tunnels.
  static constexpr PeerId kFirst{std::int64_t{1} << 40};

  struct Ports {
    std::function<void(forward::Down)> post;
    std::function<void(PeerId, const std::set<FlowKey>&, Time)> watch;
  };
  ForeignPeers(Log& log, Ports ports) : log_(log), ports_(std::move(ports)) {}

  // Returns the id that its messages have.
  PeerId add(ForeignPeer peer);
  void set_trouble(PeerId peer, std::string text);

  // True when the message was about a foreign peer.
  bool on_up(const forward::Up& message, Time now);
  void on_access(std::shared_ptr<const access::Access> access, Time now);
  void on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;

  // `statistics` may be null.
  [[nodiscard]] std::vector<api::PeerLive> live(const forward::Statistics* statistics,
                                                const std::vector<FlowStatus>& flows,
                                                const channels::Catalogue& catalogue) const;
  // Datagrams at all peers' ports that could be no peer's. `statistics` may be null.
  [[nodiscard]] static std::uint64_t strangers(const forward::Statistics* statistics);

 private:
  struct Entry {
    ForeignPeer facts;
    std::optional<Endpoint> endpoint;
    std::unique_ptr<sessions::PeerTunnel> tunnel;  // while it is somewhere
  };
  void on_endpoint(PeerId id, Entry& entry, const std::optional<Endpoint>& endpoint, Time now);
  void perform(PeerId id, Entry& entry, const sessions::PeerActions& actions, Time now);

  Log& log_;
  Ports ports_;
  std::shared_ptr<const access::Access> access_ = std::make_shared<const access::Access>();
  std::map<PeerId, Entry> peers_;
};

}  // namespace hearthcast::app
