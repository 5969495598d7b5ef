#include "tunnelmgr/wire/derived_address.hpp"

#include <algorithm>
#include <array>

namespace hearthcast::wire {
namespace {

using Octets6 = std::array<std::uint8_t, 16>;

const IpAddress kAnycastRelay = IpAddress::ip4(0xC0586301);  // 192.88.99.1

std::uint32_t number(const IpAddress& ip4) { return Reader(ip4.bytes()).u32(); }

IpAddress with_ip4_at(Octets6 octets, std::size_t at, const IpAddress& ip4) {
  std::ranges::copy(ip4.bytes(), octets.begin() + static_cast<std::ptrdiff_t>(at));
  return *IpAddress::from_bytes(octets);
}

// The first 64 bits of an IPv6 address as a number.
std::uint64_t upper(const IpAddress& ip6) { return Reader(ip6.bytes().first(8)).u64(); }

constexpr std::uint32_t low_bits(unsigned count) {
  return count >= 32 ? 0xFFFFFFFFU : (std::uint32_t{1} << count) - 1;
}

bool may_end_a_tunnel(const IpAddress& ip4) {
  const std::uint8_t first = ip4.bytes()[0];
  return first != 0 && first < 224 && !ip4.is_private() && !ip4.is_loopback() && !ip4.is_link_local() &&
         ip4 != kAnycastRelay;
}

}  // namespace

IpAddress sixinfour_link_local(const IpAddress& ip4) { return with_ip4_at({0xFE, 0x80}, 12, ip4); }

IpAddress gre_link_local(const IpAddress& ip4) {
  Octets6 octets{0xFE, 0x80};
  octets[10] = 0x5E;
  octets[11] = 0xFE;
  return with_ip4_at(octets, 12, ip4);
}

Prefix sixtofour_prefix(const IpAddress& ip4) { return Prefix::of(with_ip4_at({0x20, 0x02}, 2, ip4), 48); }

std::optional<IpAddress> sixtofour_endpoint(const IpAddress& ip6) {
  if (!ip6.is_ip6() || ip6.bytes()[0] != 0x20 || ip6.bytes()[1] != 0x02) {
    return std::nullopt;
  }
  const auto ip4 = IpAddress::from_bytes(ip6.bytes().subspan(2, 4));
  return may_end_a_tunnel(*ip4) ? ip4 : std::nullopt;
}

bool SixRd::is_sound() const {
  return prefix.address.is_ip6() && ip4_network.is_ip4() && ip4_mask_length <= 32 &&
         prefix.length + (32 - ip4_mask_length) <= 64;
}

Prefix SixRd::delegated(const IpAddress& ip4) const {
  const unsigned bits = 32 - ip4_mask_length;
  const unsigned length = prefix.length + bits;
  const std::uint64_t suffix = number(ip4) & low_bits(bits);
  const std::uint64_t value = upper(prefix.address) | (length == 0 ? 0 : suffix << (64 - length));
  Octets6 octets{};
  for (std::size_t i = 0; i < 8; ++i) {
    octets[i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
  }
  return Prefix::of(*IpAddress::from_bytes(octets), length);
}

std::optional<IpAddress> SixRd::endpoint(const IpAddress& ip6) const {
  if (!is_sound() || !ip6.is_ip6() || !prefix.contains(ip6)) {
    return std::nullopt;
  }
  const unsigned bits = 32 - ip4_mask_length;
  const unsigned length = prefix.length + bits;
  const auto suffix =
      static_cast<std::uint32_t>(length == 0 ? 0 : upper(ip6) >> (64 - length)) & low_bits(bits);
  const std::uint32_t network = number(ip4_network) & ~low_bits(bits);
  return IpAddress::ip4(network | suffix);
}

Result<SixRd> decode_sixrd_option(Bytes option, const IpAddress& own) {
  Reader r(option);
  SixRd domain;
  domain.ip4_mask_length = r.u8();
  const unsigned length = r.u8();
  const Bytes prefix = r.take(16);
  if (r.failed() || r.left() < 4) {  // at least one relay
    return ParseError::kTruncated;
  }
  if (r.left() % 4 != 0) {
    return ParseError::kBadLength;
  }
  if (!own.is_ip4() || length > 128) {
    return ParseError::kBadValue;
  }
  domain.prefix = Prefix::of(*IpAddress::from_bytes(prefix), length);
  domain.ip4_network = domain.ip4_mask_length > 32 ? own : Prefix::of(own, domain.ip4_mask_length).address;
  while (r.left() > 0) {
    domain.relays.push_back(*IpAddress::from_bytes(r.take(4)));
  }
  return domain.is_sound() ? Result<SixRd>(domain) : ParseError::kBadValue;
}

Buffer encode_sixrd_option(const SixRd& domain) {
  Buffer out;
  Writer writer(out);
  writer.u8(static_cast<std::uint8_t>(domain.ip4_mask_length));
  writer.u8(static_cast<std::uint8_t>(domain.prefix.length));
  writer.bytes(domain.prefix.address.bytes());
  for (const IpAddress& relay : domain.relays) {
    writer.bytes(relay.bytes());
  }
  return out;
}

}  // namespace hearthcast::wire
