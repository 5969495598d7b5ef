// What the away client's control thread tells its data thread, and what comes back. Use through
// DataPlane::post() and consume() (data_plane.hpp); sessions and inner packets are the messages of
// tunnelmgr/datapath.
#pragma once

#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/ids.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/datapath/messages.hpp"
#include "tunnelmgr/datapath/player.hpp"
#include "tunnelmgr/linux/fd.hpp"
#include "tunnelmgr/membership/subscription.hpp"
#include "tunnelmgr/tunnel/compact_framing.hpp"
#include "tunnelmgr/tunnel/form.hpp"

namespace hearthcast::away {

// ---- down ----------------------------------------------------------------------------------------------

// From now on the channel's datagrams are kept, whichever session brings them. Opening one that is open
// changes nothing.
struct OpenStream {
  ChannelId channel;
  FlowKey flow;
};

// Its players are gone with it.
struct CloseStream {
  ChannelId channel;
};

// A connected, non-blocking socket whose HTTP head is written. Of a stream that is not open: closed at
// once.
struct AddPlayer {
  PlayerId player;
  ChannelId channel;
  linux::Fd socket;
};

// What the control thread knows of the path: whether the box of the present session answers NACKs (not, until
// this is said), and how long a round trip takes.
struct SetRepair {
  bool on = false;
};
struct SetRoundTrip {
  Duration measured{};
};

// What the present session asked the box for: media without numbers come in this form. kGre until told.
struct ExpectForm {
  tunnel::Form encapsulation = tunnel::Form::kGre;
};

// The interface that media is written to as well: a descriptor of its own.
struct OpenTun {
  linux::Fd descriptor;
};

// All that the laptop's kernel listens to on that interface from now on.
struct TunListens {
  std::vector<membership::Subscription> subscriptions;
};

using Down = std::variant<datapath::Stop, datapath::AddSession, datapath::MoveSession, datapath::HearSession,
                          datapath::RemoveSession, datapath::SendInner, datapath::PassToSession,
                          datapath::SetRelay, datapath::OpenRelayStream, datapath::SendToRelay, OpenStream,
                          CloseStream, AddPlayer, SetRepair, SetRoundTrip, ExpectForm, OpenTun, TunListens>;

// ---- up ------------------------------------------------------------------------------------------------

// Data came, for the first time or after silence; or a quarter of a second passed without any.
struct StreamSignal {
  ChannelId channel;
  bool present = false;
};

// For several seconds too little of the channel came to be watched, repairs included: the path is too narrow.
struct StreamOverloaded {
  ChannelId channel;
  std::uint64_t arriving_bps = 0;
  std::uint64_t needed_bps = 0;
};

// The same of what the kernel listens to.
struct TunSignal {
  membership::Subscription subscription;
  bool present = false;
};

using datapath::PlayerEnd;

struct PlayerGone {
  PlayerId player;
  ChannelId channel;
  PlayerEnd end = PlayerEnd::kClosed;
  std::uint64_t bytes = 0;
};

// Since the stream was opened, by the tunnel's sequence numbers.
struct StreamCounters {
  ChannelId channel;
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t lost = 0;      // not repaired: the players miss it
  std::uint64_t repaired = 0;  // came when it was asked for again
  std::uint64_t reordered = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t nacks = 0;
  Duration delay{};         // how long a gap is waited for now
  Duration longest_hold{};  // the longest that a packet waited behind one since the last report
  std::uint64_t continuity_errors = 0;
  std::uint64_t bits_per_second = 0;
  std::uint64_t players = 0;
  tunnel::MediaForm form = tunnel::MediaForm::kFull;  // of most datagrams of the last second that had any
};

// How the tunnel treated media beyond losing them.
struct MediaCounters {
  std::uint64_t incomplete = 0;    // datagrams of which one fragment came
  std::uint64_t unknown_flow = 0;  // in one piece, before the flow's addresses were told
  std::uint64_t ecn_marked = 0;    // congestion was signalled on the way
  std::uint64_t ecn_dropped = 0;   // the same, for media that do not understand it
};

// Of the TUN interface, since it was opened.
struct TunCounters {
  std::uint64_t packets = 0;    // written, of media
  std::uint64_t bytes = 0;      // with headers
  std::uint64_t writes = 0;     // system calls
  std::uint64_t held_back = 0;  // came twice, or after what they belong before
  std::uint64_t dropped = 0;    // the interface did not take them
  bool segments = false;        // several datagrams go in one write
};

// Sent up about once a second.
struct Statistics {
  Time at{};
  std::vector<StreamCounters> streams;
  std::uint64_t unwanted = 0;  // media of flows that nobody watches (any more)
  std::uint64_t records = 0;   // opened in the present sessions
  MediaCounters media;
  TunCounters tun;
  datapath::PortCounters port;
};
struct StatisticsReady {
  std::unique_ptr<const Statistics> statistics;
};

using Up = std::variant<datapath::StunReceived, datapath::HandshakeReceived, datapath::InnerReceived,
                        datapath::SessionClosed, datapath::RelayStreamChanged, StreamSignal, StreamOverloaded,
                        TunSignal, PlayerGone, StatisticsReady>;

}  // namespace hearthcast::away
