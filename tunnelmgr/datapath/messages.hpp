// What the control thread and the data thread of one program say to each other about tunnels: the messages
// that box and away client share. Values only; each message is moved through a bounded single-producer queue,
// so nothing in it is shared afterwards.
//
// Order matters in one place: a side that finished a handshake posts AddSession *before* it sends its last
// flight, so that the first record of the peer already finds its session.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/ids.hpp"

namespace hearthcast::secure {
class DtlsSession;
class TlsContext;
}  // namespace hearthcast::secure

namespace hearthcast::datapath {

// ---- down: control to data -----------------------------------------------------------------------------

// An established session for a new peer id. Datagrams from `endpoint` belong to it from now on (an older
// session that used the endpoint keeps its others), and it is sent to there.
struct AddSession {
  PeerId peer;
  Endpoint endpoint;
  std::unique_ptr<secure::DtlsSession> session;
};

// The selected path changed: send to `endpoint`. The former endpoints of the peer, up to four, are still
// accepted as sources, since datagrams may be on the way. Unknown peers are ignored.
struct MoveSession {
  PeerId peer;
  Endpoint endpoint;
};

// The peer may send from `endpoint`, too, before it is moved there. Unknown peers are ignored.
struct HearSession {
  PeerId peer;
  Endpoint endpoint;
};

// Ends a session; with `close` a close_notify alert is sent first. Its viewers disappear with it at once.
struct RemoveSession {
  PeerId peer;
  bool close = true;
};

// One GRE packet (membership or control) to seal and send. Dropped and counted when the peer is unknown.
struct SendInner {
  PeerId peer;
  Buffer gre;
};

// A handshake datagram that came up as HandshakeReceived and belongs to no handshake in progress: the peer
// may have lost our last flight. The established session answers it with a retransmission.
struct PassToSession {
  PeerId peer;
  Buffer datagram;
};

// This end's relay, which peers with endpoints of wire/channel_endpoint.hpp are behind; nullopt: none any
// more.
struct SetRelay {
  std::optional<Endpoint> relay;
};

// A stream to this end's relay, which takes the place of whatever way there was to one. RelayStreamChanged
// says when it is open, and when it is not any more.
struct OpenRelayStream {
  std::uint64_t id = 0;
  Endpoint server;
  std::shared_ptr<secure::TlsContext> tls;  // null: TCP without it
  std::string host;                         // whom TLS has to find there
};

// A TURN message on that stream; lost when it is not open.
struct SendToRelay {
  Buffer message;
};

// Ends the thread. Posted by DataPlane::stop().
struct Stop {};

// ---- up: data to control -------------------------------------------------------------------------------

struct StunReceived {
  Endpoint from;
  Buffer datagram;
};

// A DTLS datagram that is no application data: handshake, change cipher spec, or an alert from an endpoint
// without a session. `peer` is the session that the endpoint has now, 0 for none.
struct HandshakeReceived {
  Endpoint from;
  PeerId peer;
  Buffer datagram;
};

// A GRE packet that is no media: opened and authenticated, not yet decoded further.
struct InnerReceived {
  PeerId peer;
  Endpoint from;
  Buffer gre;
};

// The peer closed, or the session broke. The data thread has removed it already.
struct SessionClosed {
  PeerId peer;
  std::string reason;
};

// Of the last OpenRelayStream.
struct RelayStreamChanged {
  std::uint64_t id = 0;
  bool open = false;
  std::string reason;  // why it is not, for people
};

// Counted, never logged, per datagram of the shared port.
struct PortCounters {
  std::uint64_t datagrams = 0;
  std::uint64_t stray = 0;         // neither STUN nor DTLS
  std::uint64_t unvouched = 0;     // application data from an endpoint without a session
  std::uint64_t rejected = 0;      // records that did not authenticate, or were replayed
  std::uint64_t malformed = 0;     // opened, but no GRE packet that means something here
  std::uint64_t kernel_drops = 0;  // receive buffer overflows: not in datagrams, nobody read them
  std::uint64_t over_budget = 0;   // STUN and handshakes of strangers who send too much (source_budget.hpp)
  std::uint64_t crowded = 0;       // STUN and handshakes that came while the other thread was far behind
  std::uint64_t queue_full = 0;    // messages lost because the other thread did not keep up
  std::uint64_t send_dropped = 0;  // control packets that the kernel or an unknown peer refused
};

}  // namespace hearthcast::datapath
