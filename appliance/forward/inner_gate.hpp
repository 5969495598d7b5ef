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
#include "tunnelmgr/base/ids.hpp"
#include "tunnelmgr/tunnel/inner_addresses.hpp"

namespace hearthcast::forward {

// Packets, since the box started.
struct InnerCounters {
  std::uint64_t to_box = 0;     // of devices, let through
  std::uint64_t from_box = 0;   // of the kernel, let through
  std::uint64_t refused = 0;    // of devices: not to what is served
  std::uint64_t spoofed = 0;    // of devices: from an address that is not theirs
  std::uint64_t kept_here = 0;  // of the kernel: no answer of what is served, or to nobody who is there
  std::uint64_t dropped = 0;    // let through, but not taken: the interface or the path was full
};

class InnerGate {
 public:
  // The box's TCP ports that admitted devices reach.
  void serve(std::vector<std::uint16_t> tcp_ports) { ports_ = std::move(tcp_ports); }
  // That device, at these addresses, until it is expelled. An address that another one has stays with it.
  void admit(PeerId peer, const tunnel::InnerAddresses& addresses);
  void expel(PeerId peer);
  [[nodiscard]] bool admits(PeerId peer) const { return members_.contains(peer); }

  // Whether this packet, which came out of the tunnel of an admitted device, is for the kernel. Options,
  // extension headers, fragments and what is not TCP are refused, too; membership and echo are not, but
  // others answer them.
  [[nodiscard]] bool passes_in(PeerId peer, Bytes ip_packet);
  // Whose this packet of the kernel is; nullopt: it stays here.
  [[nodiscard]] std::optional<PeerId> passes_out(Bytes ip_packet);

  void on_dropped() { ++counters_.dropped; }
  [[nodiscard]] const InnerCounters& counters() const { return counters_; }

 private:
  [[nodiscard]] bool is_served(std::uint16_t port) const;

  std::vector<std::uint16_t> ports_;
  std::unordered_map<PeerId, tunnel::InnerAddresses> members_;
  std::unordered_map<IpAddress, PeerId> by_address_;  // of the devices
  InnerCounters counters_;
};

}  // namespace hearthcast::forward
