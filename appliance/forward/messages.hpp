// What the box's control thread tells its data thread, and what comes back. Use through DataPlane::post() and
// DataPlane::consume() (data_plane.hpp); sessions and inner packets are the messages of tunnelmgr/datapath.
//
// A flow is carried from AddFlow to RemoveFlow whether somebody watches or not; who gets it is the viewer
// table, replaced as a whole by SetViewers. The access decision is made before: the data thread asks nobody.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "appliance/forward/clear_port.hpp"
#include "appliance/forward/home_relay.hpp"
#include "appliance/forward/inner_gate.hpp"
#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/home_host.hpp"
#include "tunnelmgr/base/ids.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/datapath/messages.hpp"
#include "tunnelmgr/datapath/player.hpp"
#include "tunnelmgr/linux/fd.hpp"
#include "tunnelmgr/tunnel/compact_framing.hpp"
#include "tunnelmgr/tunnel/form.hpp"
#include "tunnelmgr/tunnel/inner_addresses.hpp"
#include "tunnelmgr/tunnel/retransmitter.hpp"
#include "tunnelmgr/tunnel/static_peer.hpp"

namespace hearthcast::linux {
class MulticastSocket;
}

namespace hearthcast::forward {

// ---- down ----------------------------------------------------------------------------------------------

// Starts a flow on a socket that has joined. With the id of a flow that exists the socket is exchanged (a new
// upstream interface, a rejoin) and the sequence numbers go on. Flow ids are 1 to 2^32-1 and never reused
// while the program runs.
struct AddFlow {
  FlowId flow;
  FlowKey key;
  std::unique_ptr<linux::MulticastSocket> socket;
  // Keeps its last seconds from the beginning, so that an HTTP player that comes later begins at a picture.
  bool keep = false;
};

// Leaves: closes the socket.
struct RemoveFlow {
  FlowId flow;
};

// Who gets what from now on, in order of the flows' numbers; no pair twice. Unknown flows and peers in it are
// skipped. Counters of pairs that stay go on.
struct ViewerTable {
  struct Row {
    FlowId flow;
    PeerId peer;
  };
  std::vector<Row> rows;
};
struct SetViewers {
  std::unique_ptr<const ViewerTable> table;
};

// An HTTP player at home: a connected, non-blocking socket whose head is written. Of a flow that is not
// carried: closed at once.
struct AddPlayer {
  PlayerId player;
  FlowId flow;
  linux::Fd socket;
};
// Its socket is closed. Unknown players are ignored.
struct RemovePlayer {
  PlayerId player;
};

// The largest GRE packet of media that the peer's path carries, as far as known: what is larger goes to it in
// a compact form. Until told otherwise everything goes in full. Unknown peers are ignored.
struct SetFrameLimit {
  PeerId peer;
  std::size_t octets = 0;
};

// What of a flow's memory the peer takes: packets that it asks for again (else its NACKs mean nothing), and,
// when it begins to watch a flow which runs already, what came before. Nothing until told; unknown peers are
// ignored.
struct SetMemory {
  PeerId peer;
  bool repair = false;
  bool prelude = false;
};

// The form that the peer asked for its media in. Where a datagram does not fit its path in that form, all of
// them go in GRE, until the next SetFrameLimit. GRE until told; unknown peers are ignored.
struct SetForm {
  PeerId peer;
  tunnel::Form encapsulation = tunnel::Form::kGre;
};

// Foreign peers, unsealed (clear_peers.hpp). A port is there before its peers; both stay until the end.
struct AddClearPort {
  std::size_t port = 0;  // a number of the control thread's choice, less than 1024
  std::unique_ptr<ClearPort> socket;
};
struct AddClearPeer {
  PeerId peer;  // of no session
  std::size_t port = 0;
  std::unique_ptr<tunnel::StaticPeer> machine;
};
// One IP packet of membership for a foreign peer; dropped when nobody knows where it is.
struct SendClear {
  PeerId peer;
  Buffer packet;
};

// The box's own place inside the tunnels (inner_port.hpp): the TUN interface of its kernel, a descriptor of
// its own; the TCP ports that are served there; a device that reaches them, until it is expelled or its
// session ends. Without an interface, or of a device that was not admitted, such packets go up as
// InnerReceived.
struct OpenInner {
  linux::Fd tun;
  std::string interface;  // its name
};
struct ServeInner {
  std::vector<std::uint16_t> tcp_ports;
};
struct AdmitInner {
  PeerId peer;
  tunnel::InnerAddresses addresses;
  HomeHosts hosts{};  // at home, where it may go from there; what it may not any more is cut off
};
struct ExpelInner {
  PeerId peer;
};

using Down =
    std::variant<datapath::Stop, datapath::AddSession, datapath::MoveSession, datapath::RemoveSession,
                 datapath::SendInner, datapath::PassToSession, datapath::SetRelay, datapath::OpenRelayStream,
                 datapath::SendToRelay, AddFlow, RemoveFlow, SetViewers, AddPlayer, RemovePlayer,
                 SetFrameLimit, SetMemory, SetForm, AddClearPort, AddClearPeer, SendClear, OpenInner,
                 ServeInner, AdmitInner, ExpelInner>;

// ---- up ------------------------------------------------------------------------------------------------

// Numbers since the flow was added. Bitrate is over the last statistics interval.
struct FlowCounters {
  FlowId flow;
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;              // UDP payload as the provider sent it
  std::uint64_t kernel_drops = 0;       // receive buffer overflows
  std::uint64_t dropped = 0;            // hop limit used up, too large, or not from this flow's source
  std::uint64_t continuity_errors = 0;  // transport stream, all pids
  std::uint64_t bits_per_second = 0;
  Time last_data{};  // the epoch when nothing came yet
  bool rtp = false;  // the last datagram carried an RTP header
};

struct ViewerCounters {
  FlowId flow;
  PeerId peer;
  std::uint64_t packets = 0;  // with what was sent again
  std::uint64_t bytes = 0;    // UDP payload of the tunnel: sealed records
  std::uint64_t drops = 0;    // the kernel's queue was full, or the path refused the size
  tunnel::MediaForm form = tunnel::MediaForm::kFull;  // of the last datagram
  tunnel::RepairCounters repair{};
};

struct PlayerCounters {
  PlayerId player;
  std::uint64_t bytes = 0;  // written to its socket
};
struct ClearPeerCounters {
  PeerId peer;
  std::optional<Time> last_received;
  tunnel::StaticPeerCounters counters;
};
struct ClearPortCounters {
  std::size_t port = 0;
  std::uint64_t datagrams = 0;
  std::uint64_t unknown = 0;  // that no peer's could be
};

// Sent up about once a second.
struct Statistics {
  Time at{};
  std::vector<FlowCounters> flows;  // in order of their numbers, without those of which nothing ever came
  std::vector<ViewerCounters> viewers;
  std::vector<PlayerCounters> players;
  datapath::PortCounters port;
  std::vector<ClearPeerCounters> clear_peers;
  std::vector<ClearPortCounters> clear_ports;
  InnerCounters inner;
  HomeCounters home;
};
struct StatisticsReady {
  std::unique_ptr<const Statistics> statistics;
};

// The first datagram of a flow after AddFlow, or after silence of a second or more; and a second of silence.
struct FlowSignal {
  FlowId flow;
  bool present = false;
};

// Each player's end is said exactly once, whatever ended it.
struct PlayerGone {
  PlayerId player;
  datapath::PlayerEnd end = datapath::PlayerEnd::kClosed;
  std::uint64_t bytes = 0;
};

// The system refused to send the peer a datagram (UDP payload) of that size: the interface takes less. Said
// at most once a tick.
struct SizeRefused {
  PeerId peer;
  std::size_t datagram = 0;
};

// An IP packet out of a foreign peer's tunnel: whole, and from the peer as far as its form can tell. Not
// looked into.
struct ClearReceived {
  PeerId peer;
  Buffer packet;
};
// Where a foreign peer is now; nothing when that is not known (any more).
struct ClearEndpoint {
  PeerId peer;
  std::optional<Endpoint> endpoint;
};

using Up = std::variant<datapath::StunReceived, datapath::HandshakeReceived, datapath::InnerReceived,
                        datapath::SessionClosed, datapath::RelayStreamChanged, FlowSignal, PlayerGone,
                        SizeRefused, StatisticsReady, ClearReceived, ClearEndpoint>;

}  // namespace hearthcast::forward
