// Port Control Protocol (RFC 6887): the MAP opcode of one UDP port, and what a server announces. Network byte
// order; lifetimes and epochs in seconds. IPv4 addresses travel IPv4-mapped. Options are passed over.
#pragma once

#include <array>
#include <cstdint>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::wire {

inline constexpr std::uint8_t kPcpVersion = 2;
inline constexpr std::uint16_t kPcpServerPort = 5351;  // and NAT-PMP's
inline constexpr std::uint16_t kPcpClientPort = 5350;  // announcements, to 224.0.0.1

using PcpNonce = std::array<std::uint8_t, 12>;

enum class PcpResult : std::uint8_t {  // RFC 6887 section 7.4; others are kept as they are
  kSuccess = 0,
  kUnsupportedVersion = 1,
  kNotAuthorized = 2,
  kMalformedRequest = 3,
  kUnsupportedOpcode = 4,
  kNetworkFailure = 7,
  kNoResources = 8,
  kUnsupportedProtocol = 9,
  kUserExceededQuota = 10,
  kCannotProvideExternal = 11,
  kAddressMismatch = 12,
};

struct PcpMapRequest {
  std::uint32_t lifetime = 0;  // 0 removes the mapping
  IpAddress client;            // the sender, as it knows itself
  PcpNonce nonce{};            // the same as long as the mapping is the same one
  std::uint16_t internal_port = 0;
  Endpoint suggested;  // outside; unspecified address and port 0: any
  friend bool operator==(const PcpMapRequest&, const PcpMapRequest&) = default;
};

struct PcpMapping {
  PcpNonce nonce{};
  std::uint16_t internal_port = 0;
  Endpoint external;
  friend bool operator==(const PcpMapping&, const PcpMapping&) = default;
};

struct PcpAnswer {
  PcpResult result = PcpResult::kSuccess;
  std::uint32_t lifetime = 0;  // of an error: how long it will stay one
  std::uint32_t epoch = 0;
  std::optional<PcpMapping> mapping;  // of a UDP MAP; nothing: an announcement
  friend bool operator==(const PcpAnswer&, const PcpAnswer&) = default;
};

[[nodiscard]] Buffer encode_pcp(const PcpMapRequest& request);
[[nodiscard]] Buffer encode_pcp(const PcpAnswer& answer);  // what a server says
[[nodiscard]] Result<PcpMapRequest> decode_pcp_request(Bytes datagram);
[[nodiscard]] Result<PcpAnswer> decode_pcp_answer(Bytes datagram);

}  // namespace hearthcast::wire
