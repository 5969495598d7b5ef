#include "tunnelmgr/base/prefix.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>

namespace hearthcast {
namespace {

unsigned bits_of(const IpAddress& address) { return address.is_ip4() ? 32 : 128; }

IpAddress masked(const IpAddress& address, unsigned length) {
  const Bytes octets = address.bytes();
  std::array<std::uint8_t, 16> kept{};
  for (std::size_t i = 0; i < octets.size() && i * 8 < length; ++i) {
    const unsigned bits = std::min(8U, length - static_cast<unsigned>(i) * 8);
    kept[i] = static_cast<std::uint8_t>(octets[i] & (0xFF00U >> bits));
  }
  return *IpAddress::from_bytes(Bytes(kept).first(octets.size()));
}

}  // namespace

Prefix Prefix::of(const IpAddress& address, unsigned length) { return {masked(address, length), length}; }

Prefix Prefix::only(const IpAddress& address) { return {address, bits_of(address)}; }

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) {
    return std::nullopt;
  }
  if (slash == std::string_view::npos) {
    return only(*address);
  }
  const std::string_view digits = text.substr(slash + 1);
  unsigned length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc() || end != digits.data() + digits.size() || length > bits_of(*address) ||
      masked(*address, length) != *address) {
    return std::nullopt;
  }
  return Prefix{*address, length};
}

bool Prefix::contains(const IpAddress& other) const {
  return other.family() == family() && masked(other, length) == address;
}

bool Prefix::contains(const Prefix& other) const { return other.length >= length && contains(other.address); }

std::string Prefix::to_string() const {
  return is_single() ? address.to_string() : address.to_string() + "/" + std::to_string(length);
}

std::vector<IpAddress> addresses_of(const Prefix& prefix) {
  const unsigned free = bits_of(prefix.address) - prefix.length;
  assert(free <= 20);
  const Bytes first = prefix.address.bytes();
  std::vector<IpAddress> all;
  all.reserve(std::size_t{1} << free);
  for (std::uint32_t offset = 0; offset < std::uint32_t{1} << free; ++offset) {
    std::array<std::uint8_t, 16> octets{};
    std::ranges::copy(first, octets.begin());
    for (std::size_t i = 0; i < 3; ++i) {  // the free bits are the last ones, and zero
      octets[first.size() - 1 - i] =
          static_cast<std::uint8_t>(octets[first.size() - 1 - i] | (offset >> (8 * i)));
    }
    all.push_back(*IpAddress::from_bytes(Bytes(octets).first(first.size())));
  }
  return all;
}

bool any_contains(std::span<const Prefix> prefixes, const IpAddress& address) {
  return std::ranges::any_of(prefixes, [&](const Prefix& p) { return p.contains(address); });
}

std::vector<Prefix> default_ssm_ranges() {
  std::vector<Prefix> ranges{Prefix::of(IpAddress::ip4(0xE8000000), 8)};
  for (unsigned scope = 0; scope < 16; ++scope) {
    const std::array<std::uint8_t, 16> octets{0xFF, static_cast<std::uint8_t>(0x30 | scope)};
    ranges.push_back(Prefix::of(*IpAddress::from_bytes(octets), 32));
  }
  return ranges;
}

}  // namespace hearthcast
