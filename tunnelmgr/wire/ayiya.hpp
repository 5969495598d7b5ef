// AYIYA, "anything in anything" (draft-massar-v6ops-ayiya-02): a tunnel header that names and signs its
// sender.
//
//   | IDLen | IDType| SigLen|HshMeth|AutMeth| OpCode|  Next Header  |   4 bits each, then 8
//   |                           Epoch Time                          |   seconds since 1970, unsigned
//   |             Identity (2^IDLen octets), Signature (4 * SigLen octets), Payload
//
// The packet does not tell its own length: whoever carries it does. Signing: ayiya_signature.hpp.
#pragma once

#include <cstdint>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::wire {

enum class AyiyaIdentityType : std::uint8_t { kNone = 0, kInteger = 1, kText = 2 };
// 3 and 4 stand in no document but are met with; 5 is ours (docs/tunnels/ayiya.md).
enum class AyiyaHash : std::uint8_t {
  kNone = 0,
  kMd5 = 1,
  kSha1 = 2,
  kUmac = 3,
  kSha256 = 4,
  kHmacSha256 = 5
};
enum class AyiyaAuthentication : std::uint8_t { kNone = 0, kSharedSecret = 1, kPublicKey = 2 };
enum class AyiyaOpcode : std::uint8_t {
  kNothing = 0,  // keeps the tunnel alive
  kForward = 1,
  kEchoRequest = 2,
  kEchoRequestAndForward = 3,
  kEchoResponse = 4,
  kMessageOfTheDay = 5,
  kQueryRequest = 6,
  kQueryResponse = 7
};

inline constexpr std::uint8_t kNoNextHeader = 59;

struct AyiyaPacket {
  AyiyaIdentityType identity_type = AyiyaIdentityType::kNone;
  AyiyaHash hash = AyiyaHash::kNone;
  AyiyaAuthentication authentication = AyiyaAuthentication::kNone;
  AyiyaOpcode opcode = AyiyaOpcode::kNothing;
  std::uint8_t next_header = kNoNextHeader;
  std::uint32_t epoch = 0;
  Bytes identity = {};   // views: into the input when decoded
  Bytes signature = {};  // 0 to 60 octets, a multiple of 4
  Bytes payload = {};
};

// kUnsupported: reserved values of a field. kBadValue: an identity without a type, a hash without signature
// or the reverse, or a signature of another size than the hash has.
[[nodiscard]] Result<AyiyaPacket> decode_ayiya(Bytes packet);

[[nodiscard]] std::size_t ayiya_header_size(const AyiyaPacket& packet);
// Writes header, identity and signature into the last ayiya_header_size() octets of `headroom`, so that the
// payload may follow it in memory, and returns how many octets that were. The identity's size is a power of
// two up to 32768; none has a size of 0. Does not allocate.
std::size_t write_ayiya_header(MutableBytes headroom, const AyiyaPacket& packet);
[[nodiscard]] Buffer encode_ayiya(const AyiyaPacket& packet);

}  // namespace hearthcast::wire
