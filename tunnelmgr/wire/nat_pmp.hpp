// NAT Port Mapping Protocol (RFC 6886): the external address, and the mapping of one UDP port. Network byte
// order; lifetimes and epochs in seconds. Ports as in pcp.hpp.
#pragma once

#include <cstdint>
#include <optional>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::wire {

enum class NatPmpResult : std::uint16_t {  // RFC 6886 section 3.5; others are kept as they are
  kSuccess = 0,
  kUnsupportedVersion = 1,
  kRefused = 2,
  kNetworkFailure = 3,
  kOutOfResources = 4,
  kUnsupportedOpcode = 5,
};

struct NatPmpMapRequest {
  std::uint16_t internal_port = 0;
  std::uint16_t external_port = 0;  // suggested; 0 together with the lifetime removes the mapping
  std::uint32_t lifetime = 0;
  friend bool operator==(const NatPmpMapRequest&, const NatPmpMapRequest&) = default;
};

struct NatPmpMapping {
  std::uint16_t internal_port = 0;
  std::uint16_t external_port = 0;
  std::uint32_t lifetime = 0;
  friend bool operator==(const NatPmpMapping&, const NatPmpMapping&) = default;
};

// Says one of the two, or neither when it is an error: then it may end after the epoch.
struct NatPmpAnswer {
  NatPmpResult result = NatPmpResult::kSuccess;
  std::uint32_t epoch = 0;
  std::optional<IpAddress> external;  // asked for, or announced
  std::optional<NatPmpMapping> mapping;
  friend bool operator==(const NatPmpAnswer&, const NatPmpAnswer&) = default;
};

[[nodiscard]] Buffer encode_nat_pmp_address_request();
[[nodiscard]] Buffer encode_nat_pmp(const NatPmpMapRequest& request);
[[nodiscard]] Buffer encode_nat_pmp(const NatPmpAnswer& answer);  // what a gateway says
[[nodiscard]] Result<NatPmpAnswer> decode_nat_pmp_answer(Bytes datagram);

}  // namespace hearthcast::wire
