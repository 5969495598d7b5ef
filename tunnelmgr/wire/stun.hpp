// STUN messages (RFC 8489) with the attributes that ICE (RFC 8445), TURN (RFC 8656) and the presence of
// docs/protocol/introduction.md need.
//
// Attributes behind the first of MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256 are not read, FINGERPRINT
// excepted (RFC 8489 sections 14.5 and 14.6), so everything in a StunMessage is covered by the integrity that
// check_integrity() proves. Of an attribute that comes twice the first counts, XOR-PEER-ADDRESS excepted, and
// XOR-RELAYED-ADDRESS once of each family (RFC 8656 section 7.3).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::wire {

inline constexpr std::size_t kStunHeaderSize = 20;
inline constexpr std::uint16_t kStunBinding = 0x001;
inline constexpr std::uint16_t kTurnAllocate = 0x003;  // RFC 8656 section 17
inline constexpr std::uint16_t kTurnRefresh = 0x004;
inline constexpr std::uint16_t kTurnSend = 0x006;
inline constexpr std::uint16_t kTurnData = 0x007;
inline constexpr std::uint16_t kTurnCreatePermission = 0x008;
inline constexpr std::uint16_t kTurnChannelBind = 0x009;
inline constexpr std::uint8_t kTransportUdp = 17;  // of REQUESTED-TRANSPORT
inline constexpr std::uint8_t kTurnFamilyIp6 = 2;  // of ADDITIONAL-ADDRESS-FAMILY, which knows no other

// How a long-term key is made (RFC 8489 section 18.5). Others decode, and are left to whoever knows them.
inline constexpr std::uint16_t kPasswordMd5 = 1;
inline constexpr std::uint16_t kPasswordSha256 = 2;

enum class StunClass : std::uint8_t { kRequest = 0, kIndication = 1, kSuccess = 2, kError = 3 };

using TransactionId = std::array<std::uint8_t, 12>;

struct StunError {
  std::uint16_t code = 0;  // 300 to 699
  std::string reason;
  friend bool operator==(const StunError&, const StunError&) = default;
};

struct StunMessage {
  StunClass message_class = StunClass::kRequest;
  std::uint16_t method = kStunBinding;  // 12 bits
  TransactionId transaction{};

  std::optional<std::string> username = std::nullopt;
  std::optional<std::uint32_t> priority = std::nullopt;
  std::optional<std::uint64_t> ice_controlling = std::nullopt;  // the tie breaker
  std::optional<std::uint64_t> ice_controlled = std::nullopt;
  bool use_candidate = false;
  std::optional<Endpoint> xor_mapped_address = std::nullopt;
  std::optional<StunError> error = std::nullopt;
  std::vector<std::uint16_t> unknown_attributes = {};  // the contents of UNKNOWN-ATTRIBUTES, in a 420 answer
  std::optional<std::string> software = std::nullopt;
  std::optional<std::string> realm = std::nullopt;
  std::optional<std::string> nonce = std::nullopt;
  std::optional<std::uint16_t> padding = std::nullopt;  // octets of PADDING's value (RFC 5780 section 7.6)

  // TURN.
  std::optional<std::uint16_t> channel_number = std::nullopt;
  std::optional<std::uint32_t> lifetime = std::nullopt;  // s
  std::vector<Endpoint> xor_peer_addresses = {};
  std::optional<Buffer> data = std::nullopt;
  std::optional<Endpoint> xor_relayed_address = std::nullopt;
  std::optional<Endpoint> additional_relayed_address = std::nullopt;  // of the other family
  std::optional<std::uint8_t> additional_family = std::nullopt;  // ADDITIONAL-ADDRESS-FAMILY, both numbers
  std::optional<std::uint8_t> requested_transport = std::nullopt;
  std::optional<Endpoint> alternate_server = std::nullopt;
  std::vector<std::uint16_t> password_algorithms = {};  // in the server's order, without parameters
  std::optional<std::uint16_t> password_algorithm = std::nullopt;

  // Set by decoding only.
  bool has_integrity = false;         // MESSAGE-INTEGRITY
  bool has_integrity_sha256 = false;  // MESSAGE-INTEGRITY-SHA256 alone
  bool has_fingerprint = false;
  std::vector<std::uint16_t> not_understood = {};  // comprehension-required types: answer 420 or drop

  friend bool operator==(const StunMessage&, const StunMessage&) = default;
};

// Header only: leading zero bits, magic cookie, length.
[[nodiscard]] bool is_stun(Bytes datagram);

// A FINGERPRINT that is there must be right. Padding octets may hold anything.
[[nodiscard]] Result<StunMessage> decode_stun(Bytes datagram);

// True if `datagram`, which decodes, has a MESSAGE-INTEGRITY made with `key`; for short-term credentials the
// key is the password. Constant time in the comparison.
[[nodiscard]] bool check_integrity(Bytes datagram, const Crypto& crypto, Bytes key);

// The same for MESSAGE-INTEGRITY-SHA256, untruncated.
[[nodiscard]] bool check_integrity_sha256(Bytes datagram, const Crypto& crypto, Bytes key);

enum class StunIntegrity : std::uint8_t { kSha1, kSha256 };

// With a key: MESSAGE-INTEGRITY, or MESSAGE-INTEGRITY-SHA256 in its place. FINGERPRINT always, as ICE wants
// it.
[[nodiscard]] Buffer encode_stun(const StunMessage& message);
[[nodiscard]] Buffer encode_stun(const StunMessage& message, const Crypto& crypto, Bytes key,
                                 StunIntegrity integrity = StunIntegrity::kSha1);

}  // namespace hearthcast::wire
