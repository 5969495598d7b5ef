// The Internet checksum (RFC 1071) and the pseudo headers of IPv4 and IPv6 that go into it.
//
// Numbers are in host order; write them big-endian. An odd last octet counts as if a zero octet followed it.
#pragma once

#include <cstdint>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/bytes.hpp"

namespace hearthcast::wire {

// A one's-complement sum that grows piece by piece. Only the last piece may have an odd size.
class Checksum {
 public:
  void add(Bytes bytes);
  void add_u16(std::uint16_t value) { sum_ += value; }
  // RFC 8200 section 8.1 for IPv6, RFC 768 for IPv4. `length` is that of the upper-layer packet.
  void add_pseudo_header(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
                         std::uint32_t length);
  // The value of the checksum field; over octets with a right field in them it is 0.
  [[nodiscard]] std::uint16_t value() const;

 private:
  std::uint64_t sum_ = 0;
};

[[nodiscard]] std::uint16_t checksum(Bytes bytes);

}  // namespace hearthcast::wire
