#include "tunnelmgr/signalling/relay_url.hpp"

#include <algorithm>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/text.hpp"

namespace hearthcast::signalling {
namespace {

constexpr std::size_t kMaxHost = 253;  // of a name in the DNS
constexpr std::uint16_t kTlsPort = 5349;

bool takes(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) {
    return false;
  }
  text.remove_prefix(prefix.size());
  return true;
}

bool is_name(std::string_view host) {
  return !host.empty() && host.size() <= kMaxHost && host.front() != '-' && host.front() != '.' &&
         std::ranges::all_of(host, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '.';
         });
}

}  // namespace

std::optional<RelayUrl> parse_relay_url(std::string_view text) {
  RelayUrl url;
  const bool secure = takes(text, "turns:");
  if (!secure && !takes(text, "turn:")) {
    return std::nullopt;
  }
  const auto question = text.find('?');
  const std::string_view query = question == std::string_view::npos ? "" : text.substr(question + 1);
  if (question != std::string_view::npos && query != "transport=udp" && query != "transport=tcp") {
    return std::nullopt;
  }
  if (secure && query == "transport=udp") {
    return std::nullopt;
  }
  url.transport = secure                     ? RelayUrl::Transport::kTls
                  : query == "transport=tcp" ? RelayUrl::Transport::kTcp
                                             : RelayUrl::Transport::kUdp;
  url.port = secure ? kTlsPort : url.port;
  std::string_view place = text.substr(0, question);
  std::string_view host = place;
  if (place.starts_with('[')) {
    const auto end = place.find(']');
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    host = place.substr(1, end - 1);
    const auto address = IpAddress::parse(host);
    if (!address || !address->is_ip6()) {
      return std::nullopt;
    }
    place.remove_prefix(end + 1);
  } else {
    host = place.substr(0, place.find(':'));
    if (!is_name(host)) {
      return std::nullopt;
    }
    place.remove_prefix(host.size());
  }
  url.host = host;
  if (!place.empty()) {
    const auto port = place.front() == ':' ? parse_port(place.substr(1)) : std::nullopt;
    if (!port) {
      return std::nullopt;
    }
    url.port = *port;
  }
  return url;
}

}  // namespace hearthcast::signalling
