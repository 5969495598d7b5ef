#include "tunnelmgr/base/address.hpp"

#include <arpa/inet.h>  // inet_pton and inet_ntop: text only, no socket

#include <algorithm>
#include <charconv>

namespace hearthcast {

IpAddress IpAddress::ip4(std::uint32_t host_order) {
  IpAddress a;
  for (std::size_t i = 0; i < 4; ++i) {
    a.octets_[i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
  }
  return a;
}

IpAddress IpAddress::any(Family family) {
  IpAddress a;
  a.family_ = family;
  return a;
}

std::optional<IpAddress> IpAddress::from_bytes(Bytes octets) {
  if (octets.size() != 4 && octets.size() != 16) {
    return std::nullopt;
  }
  IpAddress a = any(octets.size() == 4 ? Family::kIp4 : Family::kIp6);
  std::copy(octets.begin(), octets.end(), a.octets_.begin());
  return a;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string zero_terminated(text);
  if (text.find('\0') != std::string_view::npos) {
    return std::nullopt;  // inet_pton would see its beginning only
  }
  const Family family = text.find(':') == std::string_view::npos ? Family::kIp4 : Family::kIp6;
  IpAddress a = any(family);
  if (inet_pton(family == Family::kIp4 ? AF_INET : AF_INET6, zero_terminated.c_str(), a.octets_.data()) !=
      1) {
    return std::nullopt;
  }
  return a;
}

std::string IpAddress::to_string() const {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(is_ip4() ? AF_INET : AF_INET6, octets_.data(), text, sizeof text);
  return text;
}

bool IpAddress::is_unspecified() const {
  return std::ranges::all_of(bytes(), [](std::uint8_t b) { return b == 0; });
}

bool IpAddress::is_loopback() const {
  if (is_ip4()) {
    return octets_[0] == 127;
  }
  return octets_[15] == 1 && std::all_of(octets_.begin(), octets_.end() - 1, [](auto b) { return b == 0; });
}

bool IpAddress::is_multicast() const { return is_ip4() ? octets_[0] >> 4 == 0xe : octets_[0] == 0xff; }

bool IpAddress::is_link_local() const {
  return is_ip4() ? octets_[0] == 169 && octets_[1] == 254
                  : octets_[0] == 0xfe && (octets_[1] & 0xc0) == 0x80;
}

bool IpAddress::is_private() const {
  if (is_ip6()) {
    return (octets_[0] & 0xfe) == 0xfc;
  }
  return octets_[0] == 10 || (octets_[0] == 172 && (octets_[1] & 0xf0) == 16) ||
         (octets_[0] == 192 && octets_[1] == 168) || (octets_[0] == 100 && (octets_[1] & 0xc0) == 64);
}

bool IpAddress::is_link_scope_multicast() const {
  if (!is_multicast()) {
    return false;
  }
  return is_ip4() ? octets_[0] == 224 && octets_[1] == 0 && octets_[2] == 0 : (octets_[1] & 0x0f) <= 2;
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  }
  Endpoint e;
  const auto address = IpAddress::parse(host);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), e.port);
  if (!address || address->is_ip6() != bracketed || error != std::errc{} ||
      end != port.data() + port.size()) {
    return std::nullopt;
  }
  e.address = *address;
  return e;
}

std::string Endpoint::to_string() const {
  const std::string host = address.is_ip6() ? "[" + address.to_string() + "]" : address.to_string();
  return host + ":" + std::to_string(port);
}

std::string FlowKey::to_string() const {
  const std::string to = Endpoint{group, port}.to_string();
  return source ? (source->is_ip6() ? "[" + source->to_string() + "]" : source->to_string()) + "@" + to : to;
}

}  // namespace hearthcast
