#include "tunnelmgr/nat/jitter.hpp"

#include <array>

namespace hearthcast::nat {

Duration jittered(Duration period, Random& random) {
  std::array<std::uint8_t, 2> octets{};
  random.fill(octets);
  const int fraction = octets[0] << 8 | octets[1];  // of 65535
  return period * 4 / 5 + period * 2 / 5 * fraction / 65535;
}

}  // namespace hearthcast::nat
