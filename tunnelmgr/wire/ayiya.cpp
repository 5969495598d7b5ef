#include "tunnelmgr/wire/ayiya.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <optional>

namespace hearthcast::wire {
namespace {

constexpr std::size_t kFixedSize = 8;

std::optional<std::size_t> signature_size(AyiyaHash hash) {
  switch (hash) {
    case AyiyaHash::kNone:
      return 0;
    case AyiyaHash::kMd5:
      return 16;
    case AyiyaHash::kSha1:
      return 20;
    case AyiyaHash::kSha256:
    case AyiyaHash::kHmacSha256:
      return 32;
    case AyiyaHash::kUmac:
      break;
  }
  return std::nullopt;  // it does not say
}

// What the first four octets may hold together.
std::optional<ParseError> wrong(unsigned identity_bits, const AyiyaPacket& packet, std::size_t signature) {
  if (packet.identity_type > AyiyaIdentityType::kText || packet.hash > AyiyaHash::kHmacSha256 ||
      packet.authentication > AyiyaAuthentication::kPublicKey ||
      packet.opcode > AyiyaOpcode::kQueryResponse) {
    return ParseError::kUnsupported;
  }
  const bool anonymous = packet.identity_type == AyiyaIdentityType::kNone;
  const bool unsigned_yet_authenticated =
      packet.hash == AyiyaHash::kNone && packet.authentication != AyiyaAuthentication::kNone;
  // A public key's signature is as long as the key makes it.
  const auto expected =
      packet.authentication == AyiyaAuthentication::kPublicKey ? std::nullopt : signature_size(packet.hash);
  if ((anonymous && identity_bits != 0) || unsigned_yet_authenticated ||
      (expected && signature != *expected)) {
    return ParseError::kBadValue;
  }
  return std::nullopt;
}

template <class Field>
std::uint8_t number(Field field) {
  return static_cast<std::uint8_t>(field);
}

}  // namespace

Result<AyiyaPacket> decode_ayiya(Bytes octets) {
  Reader r(octets);
  const std::uint8_t identity = r.u8();
  const std::uint8_t signature = r.u8();
  const std::uint8_t method = r.u8();
  AyiyaPacket packet;
  packet.next_header = r.u8();
  packet.epoch = r.u32();
  if (r.failed()) {
    return ParseError::kTruncated;
  }
  packet.identity_type = static_cast<AyiyaIdentityType>(identity & 0x0F);
  packet.hash = static_cast<AyiyaHash>(signature & 0x0F);
  packet.authentication = static_cast<AyiyaAuthentication>(method >> 4);
  packet.opcode = static_cast<AyiyaOpcode>(method & 0x0F);
  const unsigned identity_bits = identity >> 4;
  const std::size_t signature_octets = std::size_t{4} * (signature >> 4);
  if (const auto error = wrong(identity_bits, packet, signature_octets)) {
    return *error;
  }
  if (packet.identity_type != AyiyaIdentityType::kNone) {
    packet.identity = r.take(std::size_t{1} << identity_bits);
  }
  packet.signature = r.take(signature_octets);
  if (r.failed()) {
    return ParseError::kTruncated;
  }
  packet.payload = r.rest();
  return packet;
}

std::size_t ayiya_header_size(const AyiyaPacket& packet) {
  return kFixedSize + packet.identity.size() + packet.signature.size();
}

std::size_t write_ayiya_header(MutableBytes headroom, const AyiyaPacket& packet) {
  const std::size_t size = ayiya_header_size(packet);
  assert(headroom.size() >= size && packet.signature.size() % 4 == 0);
  assert(packet.identity.empty() || std::has_single_bit(packet.identity.size()));
  const MutableBytes out = headroom.last(size);
  const auto identity_bits =
      packet.identity.empty() ? 0U : static_cast<unsigned>(std::countr_zero(packet.identity.size()));
  out[0] = static_cast<std::uint8_t>(identity_bits << 4 | number(packet.identity_type));
  out[1] = static_cast<std::uint8_t>(packet.signature.size() / 4 << 4 | number(packet.hash));
  out[2] = static_cast<std::uint8_t>(number(packet.authentication) << 4 | number(packet.opcode));
  out[3] = packet.next_header;
  for (std::size_t i = 0; i < 4; ++i) {
    out[4 + i] = static_cast<std::uint8_t>(packet.epoch >> (24 - 8 * i));
  }
  const auto after = std::copy(packet.identity.begin(), packet.identity.end(),
                               out.begin() + static_cast<std::ptrdiff_t>(kFixedSize));
  std::copy(packet.signature.begin(), packet.signature.end(), after);
  return size;
}

Buffer encode_ayiya(const AyiyaPacket& packet) {
  Buffer out(ayiya_header_size(packet));
  write_ayiya_header(out, packet);
  out.insert(out.end(), packet.payload.begin(), packet.payload.end());
  return out;
}

}  // namespace hearthcast::wire
