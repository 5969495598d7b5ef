// What only the running box knows: who is connected, what is carried, who watches. The API shows it.
//
// Values. The program takes one on the control thread for each request; it then belongs to the worker thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "appliance/multicast/status.hpp"
#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/ids.hpp"
#include "tunnelmgr/base/time.hpp"

namespace hearthcast::api {

struct ChannelLive {
  enum class State { kIdle, kJoining, kLive, kNoSignal };
  State state = State::kIdle;
  std::uint64_t bitrate_bps = 0;
  std::uint64_t packets = 0;  // since the join, as the others
  std::uint64_t continuity_errors = 0;
  std::size_t viewers = 0;
  std::uint64_t kernel_drops = 0;  // the box did not read them in time: its machine was too busy
};

enum class PathKind { kLan, kDirect, kRelayed };
[[nodiscard]] const char* to_text(PathKind path);  // as the API writes it

struct DeviceLive {
  bool connected = false;
  std::optional<PathKind> path;             // while connected
  std::optional<Endpoint> address;          // while connected
  std::optional<Time> last_seen;            // when it is not connected any more
  std::string path_reason{};                // why it is relayed, in the device's words once it told
  std::optional<std::uint16_t> path_mtu{};  // the largest IP packet that is known to reach it
  std::string encapsulation{};              // in its DTLS, as it asked for it: "gre", "6in4", "ayiya"
  std::string form{};                       // of its viewers' forms the most costly one
};

// One for each device and channel, and for each way.
struct ViewerLive {
  enum class Via { kTunnel, kLanLink };
  DeviceId device;
  ChannelId channel;
  std::optional<PathKind> path;
  Time since{};
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t dropped = 0;  // by this viewer alone, because it was too slow
  std::string form{};         // how its datagrams travel: "6in4", "ayiya", "full", "compact", "fragments"
  Via via = Via::kTunnel;
  std::size_t players = 1;  // of a LAN link: on this channel at once
  // Packets that did not arrive and were asked for once more, and what became of that.
  std::uint64_t asked_again = 0;
  std::uint64_t sent_again = 0;
  std::uint64_t not_sent_again = 0;  // gone from the box's memory, or more than a fifth of the rate
};

// HTTP players at home since the box started.
struct LanLive {
  std::size_t players = 0;  // now
  std::uint64_t started = 0;
  std::uint64_t bytes = 0;     // written to them
  std::uint64_t too_slow = 0;  // dropped because they stopped reading
  std::vector<multicast::Drop> refused;
};

struct RendezvousLive {
  enum class State { kOff, kConnecting, kConnected, kFailed };
  State state = State::kOff;
  std::string url;
  std::string text = "No rendezvous is set. Devices find the box at home, by IPv6 or by a forwarded port.";
};

struct ReachabilityLive {
  enum class State { kAnywhere, kLanOnly, kUnknown };
  State state = State::kUnknown;
  std::string text = "Not known yet.";
};

// Whether the router at home was asked to let the tunnels' port in, and does.
struct PortMappingLive {
  enum class State { kOff, kAsking, kMapped, kFailed };
  State state = State::kOff;
  std::string way{};                   // while mapped: PCP, NAT-PMP, UPnP
  std::optional<Endpoint> external{};  // while mapped
  std::string text = "The router is not asked for a port; the setting network.port_mapping would.";
};

struct UpstreamLive {
  enum class State { kUp, kDown, kUnknown };
  State state = State::kUnknown;
  std::string interface;
  std::string text = "Nothing was joined yet.";
};

// Datagrams on the UDP port of the tunnels since the box started.
struct TunnelPortLive {
  std::uint64_t datagrams = 0;
  std::vector<multicast::Drop> drops;
};

// The box's own interface inside the tunnels, by which devices reach its web page.
struct TunnelInterfaceLive {
  enum class State { kOff, kIdle, kUp, kFailed };
  State state = State::kOff;
  std::string interface {};  // empty: none was made
  std::size_t devices = 0;   // that may reach it now
  std::string text =
      "The web page is not served inside the tunnels; the setting network.web_in_tunnel would.";
  std::uint64_t packets_in = 0;  // of devices, since the box started
  std::uint64_t packets_out = 0;
  // To hosts at home that devices were granted.
  std::size_t home_connections = 0;  // now
  std::uint64_t home_packets_in = 0;
  std::uint64_t home_packets_out = 0;
  std::vector<multicast::Drop> drops{};
};

// A router or Linux host of the settings, on an unsealed tunnel.
struct PeerLive {
  std::string name;
  std::string encapsulation;
  std::optional<Endpoint> endpoint;  // nothing: not known
  bool learnt = false;               // the endpoint; else it is configured
  std::string trouble;               // why it does not work; empty: it does
  std::string refusal;               // the last wish that was refused, in words
  std::vector<ChannelId> watching;
  std::uint64_t packets = 0;  // sent, of the channels that it watches now
  std::uint64_t bytes = 0;
  std::uint64_t send_dropped = 0;
  std::uint64_t received = 0;  // inner packets
  std::uint64_t moves = 0;     // of a learnt endpoint
  std::optional<Time> last_received;
  std::vector<multicast::Drop> drops;
};

struct LiveState {
  std::unordered_map<ChannelId, ChannelLive> channels;  // those that are not idle
  std::unordered_map<DeviceId, DeviceLive> devices;     // absent: not seen since the box started
  std::vector<ViewerLive> viewers;
  RendezvousLive rendezvous;
  ReachabilityLive reachability;
  PortMappingLive port_mapping;
  UpstreamLive upstream;
  TunnelPortLive tunnel_port;
  TunnelInterfaceLive tunnel_interface;
  LanLive lan;
  std::vector<PeerLive> peers;       // in the order of the settings
  std::uint64_t peer_strangers = 0;  // datagrams at the peers' ports that could be none of theirs
  // Null unless the request asks for it (router.hpp). Shared because a large one is not copied.
  std::shared_ptr<const multicast::MulticastStatus> multicast;
};

class LiveSource {
 public:
  virtual ~LiveSource() = default;
  [[nodiscard]] virtual LiveState live() const = 0;                        // control thread
  [[nodiscard]] virtual multicast::MulticastStatus multicast() const = 0;  // the same
};

}  // namespace hearthcast::api
