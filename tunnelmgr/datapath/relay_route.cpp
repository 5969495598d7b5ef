#include "tunnelmgr/datapath/relay_route.hpp"

#include "tunnelmgr/wire/channel_data.hpp"

namespace hearthcast::datapath {

void RelayRoute::send(linux::UdpSocket& socket, const Endpoint& peer, Bytes datagram) const {
  const auto to = next_hop(peer);
  if (!to) {
    return;
  }
  if (const auto channel = wire::channel_of(peer)) {
    (void)socket.send(*to, wire::encode_channel_data(*channel, datagram));
  } else {
    (void)socket.send(*to, datagram);
  }
}

}  // namespace hearthcast::datapath
