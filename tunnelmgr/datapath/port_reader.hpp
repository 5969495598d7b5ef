// Reads the shared UDP port of a data thread: tells STUN, handshake and application data apart, opens what
// belongs to an established session, and hands each on. Whatever else comes is counted and dropped.
#pragma once

#include <memory>
#include <string>

#include "tunnelmgr/datapath/messages.hpp"
#include "tunnelmgr/datapath/relay_route.hpp"
#include "tunnelmgr/datapath/session_table.hpp"
#include "tunnelmgr/linux/receive_batch.hpp"
#include "tunnelmgr/linux/udp_socket.hpp"

namespace hearthcast::datapath {

// Views are valid during the call only.
class PortSink {
 public:
  virtual ~PortSink() = default;
  virtual void on_stun(const Endpoint& from, Bytes datagram) = 0;
  virtual void on_handshake(const Endpoint& from, PeerId peer, Bytes datagram) = 0;
  virtual void on_inner(Peer& peer, const Endpoint& from, Bytes gre) = 0;
  virtual void on_closed(PeerId peer, std::string reason) = 0;  // the table has it no more
};

class PortReader {
 public:
  // All outlive it.
  PortReader(linux::UdpSocket& socket, SessionTable& sessions, PortCounters& counters,
             const RelayRoute& route);

  // One batch of what waits. Whether more may wait.
  bool read(linux::ReceiveBatch& batch, PortSink& sink, Time now);
  // One datagram, as read() does it. What the relay wraps counts as coming from its channel.
  void take(const Endpoint& from, Bytes datagram, PortSink& sink, Time now, std::uint8_t traffic_class = 0);
  // One TURN message that came on the stream to this end's relay.
  void take_from_relay(const Endpoint& server, Bytes message, PortSink& sink, Time now);
  // Hands an established session a handshake datagram: its answer, if any, is sent.
  void pass_to_session(const PassToSession& message, Time now);

 private:
  void sort(const Endpoint& from, Bytes datagram, PortSink& sink, Time now);
  void take_dtls(const Endpoint& from, Bytes datagram, PortSink& sink, Time now);
  // False when the record did not belong to the session.
  bool open_record(Peer& peer, const Endpoint& from, Bytes datagram, PortSink& sink, Time now);

  linux::UdpSocket& socket_;
  SessionTable& sessions_;
  PortCounters& counters_;
  const RelayRoute& route_;
  Buffer plaintext_;
  std::uint8_t traffic_class_ = 0;  // of the datagram that is being read
};

}  // namespace hearthcast::datapath
