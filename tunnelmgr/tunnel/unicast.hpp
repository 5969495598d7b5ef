// Packets between the addresses of the two ends of a tunnel: which ones may cross it, and how a box answers
// that is no host there. Pure.
#pragma once

#include <optional>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/bytes.hpp"

namespace hearthcast::tunnel {

struct UnicastPacket {
  IpAddress source;
  IpAddress destination;
  std::uint8_t protocol = 0;  // ICMP, ICMPv6 or TCP
  Bytes payload;              // a view into the packet
};

// nullopt: what no end lets pass: multicast, fragments, extension headers, protocols but ICMP, ICMPv6 and
// TCP, and of those two all but echo and errors. In particular none of neighbour discovery.
[[nodiscard]] std::optional<UnicastPacket> decode_unicast(Bytes ip_packet);

// The two ends as they know each other.
class UnicastEnds {
 public:
  UnicastEnds() = default;
  UnicastEnds(std::vector<IpAddress> device, std::vector<IpAddress> box)
      : device_(std::move(device)), box_(std::move(box)) {}

  [[nodiscard]] bool to_box(const UnicastPacket& packet) const;
  [[nodiscard]] bool to_device(const UnicastPacket& packet) const;
  [[nodiscard]] bool of_device(const IpAddress& address) const;

 private:
  std::vector<IpAddress> device_;
  std::vector<IpAddress> box_;
};

// A whole packet for who sent that one: an echo reply, or for TCP "port unreachable", so that a program there
// fails at once instead of waiting. nullopt: no answer is due. A reply is as large as its request.
[[nodiscard]] std::optional<Buffer> answer(const UnicastPacket& packet, Bytes ip_packet);

// "Administratively prohibited" (RFC 1812 section 5.2.7.1, RFC 4443 section 3.1) from `box` for who sent that
// packet. nullopt where none is due: not to a group, not for an error or a later fragment, not for what is no
// IP packet of box's family.
[[nodiscard]] std::optional<Buffer> prohibited(Bytes ip_packet, const IpAddress& box);

}  // namespace hearthcast::tunnel
