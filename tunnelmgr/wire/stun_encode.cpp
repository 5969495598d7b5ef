#include <cassert>

#include "tunnelmgr/wire/crc32.hpp"
#include "tunnelmgr/wire/stun.hpp"
#include "tunnelmgr/wire/stun_attributes.hpp"

namespace hearthcast::wire {
namespace {

// Writes one message, attribute by attribute; the length field follows along.
class StunWriter {
 public:
  StunWriter(StunClass message_class, std::uint16_t method, const TransactionId& transaction) {
    const auto c = static_cast<unsigned>(message_class);
    const unsigned m = method;
    w_.u16(static_cast<std::uint16_t>((m & 0xF80) << 2 | (m & 0x70) << 1 | (m & 0x0F) | (c & 2) << 7 |
                                      (c & 1) << 4));
    w_.u16(0);
    w_.u32(kStunMagicCookie);
    w_.bytes(transaction);
  }

  void attribute(std::uint16_t type, Bytes value) {
    w_.u16(type);
    w_.u16(static_cast<std::uint16_t>(value.size()));
    w_.bytes(value);
    w_.zeros((4 - value.size() % 4) % 4);
  }
  void u32(std::uint16_t type, std::uint32_t value) {
    Buffer octets;
    Writer(octets).u32(value);
    attribute(type, octets);
  }
  void u64(std::uint16_t type, std::uint64_t value) {
    Buffer octets;
    Writer(octets).u64(value);
    attribute(type, octets);
  }
  void text(std::uint16_t type, const std::optional<std::string>& value) {
    if (value) {
      attribute(type, as_bytes(*value));
    }
  }
  void xor_address(std::uint16_t type, const Endpoint& endpoint) {
    Buffer value;
    Writer v(value);
    v.u8(0);
    v.u8(endpoint.address.is_ip4() ? 1 : 2);
    v.u16(endpoint.port ^ static_cast<std::uint16_t>(kStunMagicCookie >> 16));
    for (std::size_t i = 0; i < endpoint.address.bytes().size(); ++i) {
      v.u8(endpoint.address.bytes()[i] ^ out_[4 + i]);
    }
    attribute(type, value);
  }
  void plain_address(std::uint16_t type, const Endpoint& endpoint) {
    Buffer value;
    Writer v(value);
    v.u8(0);
    v.u8(endpoint.address.is_ip4() ? 1 : 2);
    v.u16(endpoint.port);
    v.bytes(endpoint.address.bytes());
    attribute(type, value);
  }
  // The length field as it must be while MESSAGE-INTEGRITY or FINGERPRINT of `size` octets is computed.
  void set_length_with(std::size_t size) {
    w_.patch_u16(2, static_cast<std::uint16_t>(out_.size() + size - kStunHeaderSize));
  }
  [[nodiscard]] Buffer& out() { return out_; }

 private:
  Buffer out_;
  Writer w_{out_};
};

Buffer algorithm(std::uint16_t number) {
  Buffer value;
  Writer v(value);
  v.u16(number);
  v.u16(0);  // neither of the two has parameters
  return value;
}

void write_turn_attributes(StunWriter& w, const StunMessage& m) {
  if (m.channel_number) {
    w.u32(kChannelNumber, std::uint32_t{*m.channel_number} << 16);
  }
  if (m.lifetime) {
    w.u32(kLifetime, *m.lifetime);
  }
  for (const Endpoint& peer : m.xor_peer_addresses) {
    w.xor_address(kXorPeerAddress, peer);
  }
  if (m.xor_relayed_address) {
    w.xor_address(kXorRelayedAddress, *m.xor_relayed_address);
  }
  if (m.additional_relayed_address) {
    w.xor_address(kXorRelayedAddress, *m.additional_relayed_address);
  }
  if (m.requested_transport) {
    w.u32(kRequestedTransport, std::uint32_t{*m.requested_transport} << 24);
  }
  if (m.additional_family) {
    w.u32(kAdditionalAddressFamily, std::uint32_t{*m.additional_family} << 24);
    w.u32(kDraftAdditionalAddressFamily, std::uint32_t{*m.additional_family} << 24);
  }
  if (m.alternate_server) {
    w.plain_address(kAlternateServer, *m.alternate_server);
  }
  if (!m.password_algorithms.empty()) {
    Buffer value;
    for (const std::uint16_t number : m.password_algorithms) {
      Writer(value).bytes(algorithm(number));
    }
    w.attribute(kPasswordAlgorithms, value);
  }
  if (m.password_algorithm) {
    w.attribute(kPasswordAlgorithm, algorithm(*m.password_algorithm));
  }
  if (m.data) {
    w.attribute(kData, *m.data);
  }
}

void write_attributes(StunWriter& w, const StunMessage& m) {
  w.text(kSoftware, m.software);
  w.text(kUsername, m.username);
  w.text(kRealm, m.realm);
  w.text(kNonce, m.nonce);
  if (m.error) {
    Buffer value;
    Writer v(value);
    v.u16(0);
    v.u8(static_cast<std::uint8_t>(m.error->code / 100));
    v.u8(static_cast<std::uint8_t>(m.error->code % 100));
    v.bytes(as_bytes(m.error->reason));
    w.attribute(kErrorCode, value);
  }
  if (!m.unknown_attributes.empty()) {
    Buffer value;
    for (const std::uint16_t type : m.unknown_attributes) {
      Writer(value).u16(type);
    }
    w.attribute(kUnknownAttributes, value);
  }
  if (m.priority) {
    w.u32(kPriority, *m.priority);
  }
  if (m.ice_controlling) {
    w.u64(kIceControlling, *m.ice_controlling);
  }
  if (m.ice_controlled) {
    w.u64(kIceControlled, *m.ice_controlled);
  }
  if (m.use_candidate) {
    w.attribute(kUseCandidate, {});
  }
  if (m.xor_mapped_address) {
    w.xor_address(kXorMappedAddress, *m.xor_mapped_address);
  }
  if (m.padding) {
    w.attribute(kPadding, Buffer(*m.padding));
  }
  write_turn_attributes(w, m);
}

Buffer encode(const StunMessage& message, const Crypto* crypto, Bytes key, StunIntegrity integrity) {
  StunWriter w(message.message_class, message.method, message.transaction);
  write_attributes(w, message);
  if (crypto != nullptr && integrity == StunIntegrity::kSha1) {
    w.set_length_with(24);
    w.attribute(kMessageIntegrity, crypto->hmac_sha1(key, w.out()));
  } else if (crypto != nullptr) {
    w.set_length_with(36);
    w.attribute(kMessageIntegritySha256, crypto->hmac_sha256(key, w.out()));
  }
  w.set_length_with(8);
  w.u32(kFingerprint, crc32(w.out()) ^ kStunFingerprintXor);
  assert(w.out().size() <= 0xFFFF);
  return std::move(w.out());
}

}  // namespace

Buffer encode_stun(const StunMessage& message) { return encode(message, nullptr, {}, {}); }

Buffer encode_stun(const StunMessage& message, const Crypto& crypto, Bytes key, StunIntegrity integrity) {
  return encode(message, &crypto, key, integrity);
}

}  // namespace hearthcast::wire
