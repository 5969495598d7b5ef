// What the kernel tells the owner of a multicast routing table, as it comes out of the socket: struct igmpmsg
// of linux/mroute.h and struct mrt6msg of linux/mroute6.h. Pure.
#pragma once

#include <cstdint>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::linux {

struct KernelUpcall {
  enum class Kind : std::uint8_t { kNoRoute, kWrongInterface };
  Kind kind = Kind::kNoRoute;
  unsigned place = 0;  // the kernel's number of the interface in its table
  IpAddress source;
  IpAddress group;
  friend bool operator==(const KernelUpcall&, const KernelUpcall&) = default;
};

// The beginning of the packet that an IPv4 upcall carries behind is passed over. kUnsupported: of another
// kind (whole packets for PIM). kUnknownType: not an upcall, but a real packet. kBadValue: no unicast source
// or no multicast group.
[[nodiscard]] Result<KernelUpcall> decode_route_upcall(Family family, Bytes message);

}  // namespace hearthcast::linux
