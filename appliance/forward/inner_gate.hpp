// Which packets pass between the devices and the box's own kernel, inside the tunnels: TCP of an admitted
// device to the ports that are served, and the answers. Nothing else of the box is to be reached by that way,
// whatever it listens to, so everything that is not named here is refused and counted. Pure; data thread
// only.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/home_host.hpp"
#include "tunnelmgr/base/ids.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/base/token_bucket.hpp"
#include "tunnelmgr/tunnel/inner_addresses.hpp"

namespace hearthcast::forward {

// Packets, since the box started.
struct InnerCounters {
  std::uint64_t to_box = 0;    // of devices, let through
  std::uint64_t from_box = 0;  // of the kernel, let through
  std::uint64_t to_home = 0;   // of devices, to hosts at home
  std::uint64_t from_home = 0;
  std::uint64_t refused = 0;     // of devices: not to what is served
  std::uint64_t prohibited = 0;  // of devices: neither to the box nor to hosts that they were granted
  std::uint64_t spoofed = 0;     // of devices: from an address that is not theirs
  std::uint64_t kept_here = 0;   // of the kernel: no answer of what is served, or to nobody who is there
  std::uint64_t dropped = 0;     // let through, but not taken: the interface or the path was full
};

class InnerGate {
 public:
  // The box's TCP ports that admitted devices reach.
  void serve(std::vector<std::uint16_t> tcp_ports) { ports_ = std::move(tcp_ports); }
  // The box's TCP port that takes connections to hosts at home; 0: none does.
  void set_relay(std::uint16_t tcp_port) { relay_port_ = tcp_port; }
  [[nodiscard]] std::uint16_t relay() const { return relay_port_; }
  // That device, at these addresses and with these hosts at home, until it is expelled. An address that
  // another one has stays with it.
  void admit(PeerId peer, const tunnel::InnerAddresses& addresses, HomeHosts hosts = {});
  void expel(PeerId peer);
  [[nodiscard]] bool admits(PeerId peer) const { return members_.contains(peer); }

  struct Way {
    enum class Kind {
      kOther,       // others answer it for the box, or nobody
      kBox,         // between the device and what the box serves
      kHome,        // between the device and a host at home that it was granted, by the relay
      kProhibited,  // the device has no business there, and may be told so
    };
    Kind kind = Kind::kOther;
    PeerId peer;           // of kBox: the device
    Endpoint source;       // of kBox and kHome
    Endpoint destination;  // the same
    IpAddress box;         // but for kOther: as the device knows it
  };
  // Of a packet that came out of the tunnel of an admitted device. Options, extension headers, fragments and
  // what is not TCP are refused; membership and echo to the box are not, but others answer them.
  [[nodiscard]] Way way_in(PeerId peer, Bytes ip_packet);
  // Of a packet of the kernel. What is of the relay belongs to whom the translation says.
  [[nodiscard]] Way way_out(Bytes ip_packet);

  // Whether the device may be sent an error now: few a second.
  [[nodiscard]] bool may_tell(PeerId peer, Time now);
  [[nodiscard]] bool may_go(PeerId peer, const Endpoint& target) const;
  void on_home(bool outward) { ++(outward ? counters_.to_home : counters_.from_home); }
  void on_kept_here() { ++counters_.kept_here; }
  void on_dropped() { ++counters_.dropped; }
  [[nodiscard]] const InnerCounters& counters() const { return counters_; }

 private:
  static constexpr int kErrorsPerSecond = 10;

  [[nodiscard]] bool is_served(std::uint16_t port) const;

  std::vector<std::uint16_t> ports_;
  std::uint16_t relay_port_ = 0;
  struct Member {
    tunnel::InnerAddresses addresses;
    HomeHosts hosts;
    TokenBucket errors;  // that it is told
  };
  std::unordered_map<PeerId, Member> members_;
  std::unordered_map<IpAddress, PeerId> by_address_;  // of the devices
  InnerCounters counters_;
};

}  // namespace hearthcast::forward
