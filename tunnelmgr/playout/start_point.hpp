// Where in a running transport stream a player best begins: at the program association table before the
// latest picture that decodes by itself, so that it shows something at once.
#pragma once

#include <cstdint>
#include <optional>

#include "tunnelmgr/wire/ts.hpp"

namespace hearthcast::playout {

class StartPoint {
 public:
  // Each packet with its offset in the stream, in order.
  void on_packet(const wire::TsPacket& packet, std::uint64_t offset);

  // The best start at or after `oldest`; nullopt when none is known (begin with what comes). Until a picture
  // with a random access indicator came (radio, careless encoders) any table is taken.
  [[nodiscard]] std::optional<std::uint64_t> from(std::uint64_t oldest) const;

 private:
  std::optional<std::uint64_t> table_;    // the latest program association table
  std::optional<std::uint64_t> picture_;  // the table before the latest random access point
};

}  // namespace hearthcast::playout
