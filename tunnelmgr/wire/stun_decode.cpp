#include <algorithm>

#include "tunnelmgr/wire/crc32.hpp"
#include "tunnelmgr/wire/stun.hpp"
#include "tunnelmgr/wire/stun_attributes.hpp"

namespace hearthcast::wire {
namespace {

constexpr std::size_t kAttributeHeader = 4;
constexpr std::size_t kSha1Size = 20;
constexpr std::size_t kSha256Size = 32;
constexpr std::size_t kSha256Least = 16;  // RFC 8489 section 14.6: it may be truncated
constexpr std::size_t kMaxText =
    763;  // RFC 8489 section 14: longest REALM, NONCE, SOFTWARE; USERNAME is shorter

// As in MAPPED-ADDRESS.
std::optional<Endpoint> read_address(Bytes value) {
  Reader r(value);
  r.take(1);
  const std::uint8_t family = r.u8();
  const std::uint16_t port = r.u16();
  const std::size_t size = family == 1 ? 4 : 16;
  if (r.failed() || (family != 1 && family != 2) || r.left() != size) {
    return std::nullopt;
  }
  return Endpoint{*IpAddress::from_bytes(r.rest()), port};
}

std::optional<Endpoint> read_xor_address(Bytes value, Bytes cookie_and_transaction) {
  const auto hidden = read_address(value);
  if (!hidden) {
    return std::nullopt;
  }
  const Bytes octets = hidden->address.bytes();
  std::array<std::uint8_t, 16> plain{};
  for (std::size_t i = 0; i < octets.size(); ++i) {
    plain[i] = octets[i] ^ cookie_and_transaction[i];
  }
  return Endpoint{*IpAddress::from_bytes(Bytes(plain).first(octets.size())),
                  static_cast<std::uint16_t>(hidden->port ^ kStunMagicCookie >> 16)};
}

std::optional<StunError> read_error(Bytes value) {
  Reader r(value);
  r.take(2);
  const unsigned hundreds = r.u8() & 0x07U;
  const unsigned rest = r.u8();
  const Bytes reason = r.rest();
  if (r.failed() || hundreds < 3 || hundreds > 6 || rest > 99 || reason.size() > kMaxText) {
    return std::nullopt;
  }
  return StunError{static_cast<std::uint16_t>(hundreds * 100 + rest), std::string(as_text(reason))};
}

template <class T>
bool keep(std::optional<T>& field, std::optional<T> value) {
  if (!field) {
    field = std::move(value);
    return field.has_value();
  }
  return true;
}

bool keep_text(std::optional<std::string>& field, Bytes value) {
  return value.size() <= kMaxText && keep<std::string>(field, std::string(as_text(value)));
}

bool keep_u32(std::optional<std::uint32_t>& field, Bytes value) {
  return value.size() == 4 && keep<std::uint32_t>(field, Reader(value).u32());
}

bool keep_u64(std::optional<std::uint64_t>& field, Bytes value) {
  return value.size() == 8 && keep<std::uint64_t>(field, Reader(value).u64());
}

// The first octets of a value of four whose others are reserved.
bool keep_first_u16(std::optional<std::uint16_t>& field, Bytes value) {
  return value.size() == 4 && keep<std::uint16_t>(field, Reader(value).u16());
}

bool keep_first_u8(std::optional<std::uint8_t>& field, Bytes value) {
  return value.size() == 4 && keep<std::uint8_t>(field, Reader(value).u8());
}

// RFC 8489 section 14.11: number, length of parameters, parameters, padded to four.
std::uint16_t read_algorithm(Reader& r) {
  const std::uint16_t number = r.u16();
  const std::size_t parameters = r.u16();
  r.take(parameters);
  r.take(std::min((4 - parameters % 4) % 4, r.left()));
  return number;
}

bool keep_algorithm(std::optional<std::uint16_t>& field, Bytes value) {
  Reader r(value);
  const std::uint16_t number = read_algorithm(r);
  return !r.failed() && r.left() == 0 && keep<std::uint16_t>(field, number);
}

bool keep_algorithms(std::vector<std::uint16_t>& field, Bytes value) {
  Reader r(value);
  std::vector<std::uint16_t> numbers;
  while (r.left() > 0 && !r.failed()) {
    numbers.push_back(read_algorithm(r));
  }
  if (field.empty()) {
    field = std::move(numbers);
  }
  return !r.failed();
}

bool add_peer(std::vector<Endpoint>& field, const std::optional<Endpoint>& peer) {
  if (peer) {
    field.push_back(*peer);
  }
  return peer.has_value();
}

bool keep_relayed(StunMessage& m, const std::optional<Endpoint>& relayed) {
  if (!relayed) {
    return false;
  }
  if (!m.xor_relayed_address) {
    m.xor_relayed_address = relayed;
  } else if (!m.additional_relayed_address &&
             relayed->address.family() != m.xor_relayed_address->address.family()) {
    m.additional_relayed_address = relayed;
  }
  return true;
}

bool keep_unknown(std::vector<std::uint16_t>& field, Bytes value) {
  Reader r(value);
  while (field.size() * 2 < value.size() && r.left() >= 2) {
    field.push_back(r.u16());
  }
  return value.size() % 2 == 0;
}

// nullopt: none of TURN's. False: the value is malformed.
std::optional<bool> read_turn_attribute(StunMessage& m, std::uint16_t type, Bytes value,
                                        Bytes cookie_and_transaction) {
  switch (type) {
    case kChannelNumber:
      return keep_first_u16(m.channel_number, value);
    case kLifetime:
      return keep_u32(m.lifetime, value);
    case kXorPeerAddress:
      return add_peer(m.xor_peer_addresses, read_xor_address(value, cookie_and_transaction));
    case kData:
      return keep<Buffer>(m.data, Buffer(value.begin(), value.end()));
    case kXorRelayedAddress:
      return keep_relayed(m, read_xor_address(value, cookie_and_transaction));
    case kRequestedTransport:
      return keep_first_u8(m.requested_transport, value);
    case kAdditionalAddressFamily:
    case kDraftAdditionalAddressFamily:
      return keep_first_u8(m.additional_family, value);
    case kAlternateServer:
      return keep(m.alternate_server, read_address(value));
    case kPasswordAlgorithm:
      return keep_algorithm(m.password_algorithm, value);
    case kPasswordAlgorithms:
      return keep_algorithms(m.password_algorithms, value);
    default:
      return std::nullopt;
  }
}

// False: the value is malformed.
bool read_attribute(StunMessage& m, std::uint16_t type, Bytes value, Bytes cookie_and_transaction) {
  switch (type) {
    case kUsername:
      return keep_text(m.username, value);
    case kRealm:
      return keep_text(m.realm, value);
    case kNonce:
      return keep_text(m.nonce, value);
    case kSoftware:
      return keep_text(m.software, value);
    case kPriority:
      return keep_u32(m.priority, value);
    case kIceControlled:
      return keep_u64(m.ice_controlled, value);
    case kIceControlling:
      return keep_u64(m.ice_controlling, value);
    case kUseCandidate:
      m.use_candidate = true;
      return value.empty();
    case kXorMappedAddress:
      return keep(m.xor_mapped_address, read_xor_address(value, cookie_and_transaction));
    case kErrorCode:
      return keep(m.error, read_error(value));
    case kUnknownAttributes:
      return !m.unknown_attributes.empty() || keep_unknown(m.unknown_attributes, value);
    case kPadding:
      return keep<std::uint16_t>(m.padding, static_cast<std::uint16_t>(value.size()));
    default:
      if (const auto read = read_turn_attribute(m, type, value, cookie_and_transaction)) {
        return *read;
      }
      if (type < 0x8000) {
        m.not_understood.push_back(type);
      }
      return true;
  }
}

}  // namespace

bool is_stun(Bytes datagram) {
  Reader r(datagram);
  const std::uint16_t type = r.u16();
  const std::size_t length = r.u16();
  return r.u32() == kStunMagicCookie && type < 0x4000 && length % 4 == 0 &&
         datagram.size() == kStunHeaderSize + length;
}

Result<StunMessage> decode_stun(Bytes datagram) {
  if (datagram.size() < kStunHeaderSize) {
    return ParseError::kTruncated;
  }
  if (!is_stun(datagram)) {
    return Reader(datagram.subspan(4)).u32() == kStunMagicCookie ? ParseError::kBadLength
                                                                 : ParseError::kUnknownType;
  }
  Reader r(datagram);
  StunMessage m;
  const unsigned type = r.u16();
  m.message_class = static_cast<StunClass>((type >> 7 & 2U) | (type >> 4 & 1U));
  m.method = static_cast<std::uint16_t>((type >> 2 & 0xF80U) | (type >> 1 & 0x70U) | (type & 0x0FU));
  r.take(2);
  const Bytes cookie_and_transaction = datagram.subspan(4, 16);
  r.take(4);
  const Bytes transaction = r.take(m.transaction.size());
  std::copy(transaction.begin(), transaction.end(), m.transaction.begin());
  while (r.left() > 0) {
    const std::size_t at = datagram.size() - r.left();
    const std::uint16_t attribute = r.u16();
    const std::size_t size = r.u16();
    const Bytes value = r.take(size);
    r.take((4 - size % 4) % 4);
    if (r.failed()) {
      return ParseError::kBadLength;
    }
    if (attribute == kFingerprint) {
      if (size != 4 || r.left() > 0) {
        return ParseError::kBadLength;  // it comes last
      }
      if (Reader(value).u32() != (crc32(datagram.first(at)) ^ kStunFingerprintXor)) {
        return ParseError::kBadChecksum;
      }
      m.has_fingerprint = true;
    } else if (m.has_integrity || m.has_integrity_sha256) {
      continue;
    } else if (attribute == kMessageIntegrity) {
      if (size != kSha1Size) {
        return ParseError::kBadLength;
      }
      m.has_integrity = true;
    } else if (attribute == kMessageIntegritySha256) {
      if (size < kSha256Least || size > kSha256Size || size % 4 != 0) {
        return ParseError::kBadLength;
      }
      m.has_integrity_sha256 = true;
    } else if (!read_attribute(m, attribute, value, cookie_and_transaction)) {
      return ParseError::kBadValue;
    }
  }
  return m;
}

namespace {

// mac: of what the attribute of that type covers, by the algorithm that the type names.
template <class Mac>
bool check(Bytes datagram, std::uint16_t type, Mac mac) {
  if (!is_stun(datagram)) {
    return false;
  }
  Reader r(datagram.subspan(kStunHeaderSize));
  while (r.left() > 0) {
    const std::size_t at = datagram.size() - r.left();
    const std::uint16_t attribute = r.u16();
    const std::size_t size = r.u16();
    const Bytes value = r.take(size);
    r.take((4 - size % 4) % 4);
    if (r.failed()) {
      return false;
    }
    if (attribute == type) {
      // The HMAC is over a header whose length ends with this attribute: RFC 8489 section 14.5.
      Buffer covered(datagram.begin(), datagram.begin() + static_cast<std::ptrdiff_t>(at));
      Writer(covered).patch_u16(2,
                                static_cast<std::uint16_t>(at + kAttributeHeader + size - kStunHeaderSize));
      return Crypto::equal(mac(covered), value);
    }
  }
  return false;
}

}  // namespace

bool check_integrity(Bytes datagram, const Crypto& crypto, Bytes key) {
  return check(datagram, kMessageIntegrity, [&](Bytes covered) { return crypto.hmac_sha1(key, covered); });
}

bool check_integrity_sha256(Bytes datagram, const Crypto& crypto, Bytes key) {
  return check(datagram, kMessageIntegritySha256,
               [&](Bytes covered) { return crypto.hmac_sha256(key, covered); });
}

}  // namespace hearthcast::wire
