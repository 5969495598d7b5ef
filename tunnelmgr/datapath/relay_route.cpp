#include "tunnelmgr/datapath/relay_route.hpp"

#include "tunnelmgr/wire/channel_data.hpp"

namespace hearthcast::datapath {

void RelayRoute::send(linux::UdpSocket& socket, const Endpoint& peer, Bytes datagram) const {
  const auto channel = wire::channel_of(peer);
  if (!channel) {
    (void)socket.send(peer, datagram);
  } else if (stream_) {
    send_on_stream(wire::encode_channel_data(*channel, datagram));
  } else if (relay_) {
    (void)socket.send(*relay_, wire::encode_channel_data(*channel, datagram));
  }
}

void RelayRoute::send_on_stream(Bytes message) const {
  if (stream_) {
    (void)stream_->queue(message);
    stream_->flush();
  }
}

}  // namespace hearthcast::datapath
