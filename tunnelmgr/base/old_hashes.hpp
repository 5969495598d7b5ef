// Hashes that formats of others prescribe and that protect little by today's measure: for tunnels to foreign
// peers and for the long-term key of TURN only, nothing of our own uses them. The only implementation of the
// product is in tunnelmgr/secure.
#pragma once

#include <array>
#include <cstdint>

#include "tunnelmgr/base/bytes.hpp"

namespace hearthcast {

class OldHashes {
 public:
  virtual ~OldHashes() = default;
  [[nodiscard]] virtual std::array<std::uint8_t, 20> sha1(Bytes message) const = 0;
  [[nodiscard]] virtual std::array<std::uint8_t, 16> md5(Bytes message) const = 0;
};

}  // namespace hearthcast
