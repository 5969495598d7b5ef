// A TURN server as its clients know it: where it is, and over which transport it is spoken to (RFC 8656
// section 3.1).
#pragma once

#include <cstdint>
#include <string>

#include "tunnelmgr/base/address.hpp"

namespace hearthcast::wire {

enum class TurnTransport : std::uint8_t { kUdp, kTcp, kTls };

struct TurnServer {
  Endpoint endpoint;
  TurnTransport transport = TurnTransport::kUdp;
  std::string host;  // as its certificate names it
  friend bool operator==(const TurnServer&, const TurnServer&) = default;
};

[[nodiscard]] constexpr const char* to_string(TurnTransport transport) {
  switch (transport) {
    case TurnTransport::kUdp:
      return "udp";
    case TurnTransport::kTcp:
      return "tcp";
    case TurnTransport::kTls:
      return "tls";
  }
  return "";
}

}  // namespace hearthcast::wire
