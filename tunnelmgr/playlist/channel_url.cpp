#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/playlist/m3u.hpp"

namespace hearthcast::playlist {
namespace {

constexpr std::string_view kForm = "write udp://@239.1.1.1:5000 or rtp://192.0.2.1@[ff3e::1]:5000";

// What a person wrote, short and printable, for an error text.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, 60)) {
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  }
  return out + (text.size() > 60 ? "...\"" : "\"");
}

bool begins_with(std::string_view text, std::string_view lower_case) {
  if (text.size() < lower_case.size()) {
    return false;
  }
  for (std::size_t i = 0; i < lower_case.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
    if (c != lower_case[i]) {
      return false;
    }
  }
  return true;
}

std::optional<IpAddress> parse_address(std::string_view text) {
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
    const auto address = IpAddress::parse(text.substr(1, text.size() - 2));
    return address && address->is_ip6() ? address : std::nullopt;
  }
  return IpAddress::parse(text);
}

Result<std::uint16_t, Failure> port_of(std::string_view text) {
  const auto port = parse_port(text);
  if (!port) {
    return Failure{quoted(text) + " is not a port; a port is a number from 1 to 65535"};
  }
  return *port;
}

// GROUP:PORT, the group in brackets if it is IPv6.
Result<FlowKey, Failure> parse_group_and_port(std::string_view text) {
  FlowKey flow;
  const std::size_t colon = text.rfind(':');
  const std::size_t bracket = text.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  const std::string_view host = has_port ? text.substr(0, colon) : text;
  if (host.find('%') != std::string_view::npos) {
    return Failure{quoted(host) + " names an interface; leave out what begins with %"};
  }
  if (host.find(':') != std::string_view::npos && (host.front() != '[' || host.back() != ']')) {
    return Failure{quoted(text) + " is ambiguous; put the IPv6 address in brackets, as [ff3e::1]:5000"};
  }
  const auto group = parse_address(host);
  if (!group) {
    return Failure{quoted(host) + " is not an IP address; names are not looked up: " + std::string(kForm)};
  }
  if (!group->is_multicast()) {
    return Failure{group->to_string() + " is not a multicast address; those lie in 224.0.0.0/4 or ff00::/8"};
  }
  if (!has_port) {
    return Failure{"the port is missing after " + quoted(host) + "; " + std::string(kForm)};
  }
  const auto port = port_of(text.substr(colon + 1));
  if (!port) {
    return port.error();
  }
  flow.group = *group;
  flow.port = *port;
  return flow;
}

// The value of `sources` in a query; with several sources the first.
std::string_view source_in_query(std::string_view query) {
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), part.size() + 1));
    if (begins_with(part, "sources=")) {
      const std::string_view value = part.substr(8);
      return value.substr(0, value.find(','));
    }
  }
  return {};
}

}  // namespace

Result<Entry, Failure> parse_channel_url(std::string_view url) {
  Entry entry;
  entry.rtp = begins_with(url, "rtp://");
  if (!entry.rtp && !begins_with(url, "udp://")) {
    if (begins_with(url, "http://") || begins_with(url, "https://")) {
      return Failure{quoted(url) +
                     " is a web address; use the multicast address itself: " + std::string(kForm)};
    }
    return Failure{quoted(url) + " is not the address of a channel; " + std::string(kForm)};
  }
  std::string_view rest = url.substr(6);
  const std::size_t end = rest.find_first_of("/?#");
  std::string_view source;
  if (end != std::string_view::npos) {
    const std::size_t query = rest.find('?', end);
    if (query != std::string_view::npos) {
      source = source_in_query(rest.substr(query + 1));
    }
    rest = rest.substr(0, end);
  }
  const std::size_t at = rest.rfind('@');
  if (at != std::string_view::npos) {
    if (at > 0) {
      source = rest.substr(0, at);
    }
    rest = rest.substr(at + 1);
  }
  if (rest.empty()) {
    return Failure{"the address is missing; " + std::string(kForm)};
  }
  auto flow = parse_group_and_port(rest);
  if (!flow) {
    return flow.error();
  }
  entry.flow = *flow;
  if (!source.empty()) {
    const auto address = parse_address(source);
    if (!address) {
      return Failure{quoted(source) + " before the @ is not an IP address; " + std::string(kForm)};
    }
    if (address->family() != entry.flow.group.family()) {
      return Failure{"the source " + address->to_string() + " and the group " + entry.flow.group.to_string() +
                     " are not of one IP version"};
    }
    if (!address->is_unspecified()) {  // 0.0.0.0@ is how some lists say "any"
      entry.flow.source = *address;
    }
  }
  return entry;
}

}  // namespace hearthcast::playlist
