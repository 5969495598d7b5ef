// The addresses of TURN relays as RFC 7065 writes them: turn:HOST[:PORT][?transport=udp|tcp], turns: for TLS.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tunnelmgr/wire/turn_server.hpp"

namespace hearthcast::signalling {

struct RelayUrl {
  using Transport = wire::TurnTransport;
  std::string host;  // a name or an address, without brackets
  std::uint16_t port = 3478;
  Transport transport = Transport::kUdp;
  friend bool operator==(const RelayUrl&, const RelayUrl&) = default;
};

// nullopt for what is none; turns: over UDP (DTLS) is none that we speak.
[[nodiscard]] std::optional<RelayUrl> parse_relay_url(std::string_view text);

}  // namespace hearthcast::signalling
