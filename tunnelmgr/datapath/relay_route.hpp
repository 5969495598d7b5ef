// The way of datagrams to peers behind this end's relay (wire/channel_endpoint.hpp): to the relay, each
// behind the header of its channel. Data thread only.
#pragma once

#include "tunnelmgr/linux/udp_socket.hpp"
#include "tunnelmgr/wire/channel_endpoint.hpp"

namespace hearthcast::datapath {

class RelayRoute {
 public:
  // Channels lead there from now on; nowhere without one.
  void set(std::optional<Endpoint> relay) { relay_ = relay; }
  [[nodiscard]] bool is_relay(const Endpoint& endpoint) const { return relay_ == endpoint; }
  // Where on the network a peer at that endpoint is sent to; nullopt for one behind a relay that is gone.
  [[nodiscard]] std::optional<Endpoint> next_hop(const Endpoint& peer) const {
    return wire::channel_of(peer) ? relay_ : std::optional(peer);
  }
  // One datagram; a loss is no different from any other.
  void send(linux::UdpSocket& socket, const Endpoint& peer, Bytes datagram) const;

 private:
  std::optional<Endpoint> relay_;
};

}  // namespace hearthcast::datapath
