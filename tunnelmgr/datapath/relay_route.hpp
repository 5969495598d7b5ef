// The way of datagrams to peers behind this end's relay (wire/channel_endpoint.hpp): to the relay, each
// behind the header of its channel, in datagrams or on a stream. Data thread only.
#pragma once

#include <memory>

#include "tunnelmgr/datapath/relay_stream.hpp"
#include "tunnelmgr/linux/udp_socket.hpp"
#include "tunnelmgr/wire/channel_endpoint.hpp"

namespace hearthcast::datapath {

class RelayRoute {
 public:
  // Channels lead there from now on; nowhere without one.
  void set(std::optional<Endpoint> relay) {
    relay_ = relay;
    stream_.reset();
  }
  void set(const Endpoint& server, std::unique_ptr<RelayStream> stream) {
    relay_.reset();
    stream_server_ = server;
    stream_ = std::move(stream);
  }
  // By datagrams from there.
  [[nodiscard]] bool is_relay(const Endpoint& endpoint) const { return relay_ == endpoint; }
  // Where on the network a peer at that endpoint is sent to; nullopt for one behind a relay that is gone, or
  // that is on a stream.
  [[nodiscard]] std::optional<Endpoint> next_hop(const Endpoint& peer) const {
    return wire::channel_of(peer) ? relay_ : std::optional(peer);
  }
  // Null: channels go in datagrams, or nowhere.
  [[nodiscard]] RelayStream* stream() const { return stream_.get(); }
  [[nodiscard]] std::optional<Endpoint> stream_server() const {
    return stream_ ? std::optional(stream_server_) : std::nullopt;
  }
  // One datagram; a loss is no different from any other.
  void send(linux::UdpSocket& socket, const Endpoint& peer, Bytes datagram) const;
  // A whole TURN message to a relay on a stream.
  void send_on_stream(Bytes message) const;

 private:
  std::optional<Endpoint> relay_;
  Endpoint stream_server_;
  std::unique_ptr<RelayStream> stream_;
};

}  // namespace hearthcast::datapath
