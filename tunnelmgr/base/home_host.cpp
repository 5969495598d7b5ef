#include "tunnelmgr/base/home_host.hpp"

#include <algorithm>

#include "tunnelmgr/base/text.hpp"

namespace hearthcast {
namespace {

constexpr unsigned kShortestIp4 = 16;
constexpr unsigned kShortestIp6 = 64;

bool is_of_a_home(const Prefix& hosts) {
  return hosts.address.is_private() && hosts.length >= (hosts.address.is_ip4() ? kShortestIp4 : kShortestIp6);
}

}  // namespace

std::optional<HomeHost> HomeHost::parse(std::string_view text) {
  HomeHost out;
  std::string_view ports;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos || (end + 1 != text.size() && text[end + 1] != ':')) {
      return std::nullopt;
    }
    ports = text.substr(end + 1);
    text = text.substr(1, end - 1);
    if (text.find(':') == std::string_view::npos) {
      return std::nullopt;  // brackets are for IPv6
    }
  } else if (const auto colon = text.find(':'); colon != std::string_view::npos && colon == text.rfind(':')) {
    ports = text.substr(colon);
    text = text.substr(0, colon);
  }
  const auto hosts = Prefix::parse(text);
  if (!hosts || !is_of_a_home(*hosts)) {
    return std::nullopt;
  }
  out.hosts = *hosts;
  if (!ports.empty()) {
    ports.remove_prefix(1);
    const auto dash = std::min(ports.find('-'), ports.size());
    const auto first = parse_port(ports.substr(0, dash));
    const auto last = dash == ports.size() ? first : parse_port(ports.substr(dash + 1));
    if (!first || !last || *last < *first) {
      return std::nullopt;
    }
    out.first_port = *first;
    out.last_port = *last;
  }
  return out;
}

std::string HomeHost::to_string() const {
  std::string host = hosts.to_string();
  if (first_port == 1 && last_port == 65535) {
    return host;
  }
  return (hosts.address.is_ip4() ? host : "[" + host + "]") + ":" + std::to_string(first_port) +
         (first_port == last_port ? "" : "-" + std::to_string(last_port));
}

bool HomeHost::includes(const IpAddress& address, std::uint16_t port) const {
  return hosts.contains(address) && port >= first_port && port <= last_port;
}

bool any_includes(const HomeHosts& all, const IpAddress& address, std::uint16_t port) {
  return std::ranges::any_of(all, [&](const HomeHost& one) { return one.includes(address, port); });
}

bool any_includes(const HomeHosts& all, const IpAddress& address) {
  return std::ranges::any_of(all, [&](const HomeHost& one) { return one.hosts.contains(address); });
}

}  // namespace hearthcast
