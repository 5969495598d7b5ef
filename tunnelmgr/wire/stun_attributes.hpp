// Attribute types of STUN (RFC 8489 section 18.3, RFC 8445 section 20.2, RFC 5780) and of TURN (RFC 8656
// section 18): what decoder and encoder share.
#pragma once

#include <cstdint>

namespace hearthcast::wire {

inline constexpr std::uint32_t kStunMagicCookie = 0x2112A442;
inline constexpr std::uint32_t kStunFingerprintXor = 0x5354554E;

enum StunAttribute : std::uint16_t {
  kUsername = 0x0006,
  kMessageIntegrity = 0x0008,
  kErrorCode = 0x0009,
  kUnknownAttributes = 0x000A,
  kChannelNumber = 0x000C,
  kLifetime = 0x000D,
  kXorPeerAddress = 0x0012,
  kData = 0x0013,
  kRealm = 0x0014,
  kNonce = 0x0015,
  kXorRelayedAddress = 0x0016,
  kRequestedTransport = 0x0019,
  kMessageIntegritySha256 = 0x001C,
  kPasswordAlgorithm = 0x001D,
  kXorMappedAddress = 0x0020,
  kPriority = 0x0024,
  kUseCandidate = 0x0025,
  kPadding = 0x0026,
  kAdditionalAddressFamily = 0x8000,
  kPasswordAlgorithms = 0x8002,
  kSoftware = 0x8022,
  kAlternateServer = 0x8023,
  kFingerprint = 0x8028,
  kIceControlled = 0x8029,
  kIceControlling = 0x802A,
  kDraftAdditionalAddressFamily = 0x8032,  // the number that coturn (4.6) knows it by
};

}  // namespace hearthcast::wire
