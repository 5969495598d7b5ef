#include "tunnelmgr/nat/jitter.hpp"

#include <array>

namespace hearthcast::nat {

Duration jittered(Duration period, Random& random) { return between(period * 4 / 5, period * 6 / 5, random); }

Duration between(Duration least, Duration most, Random& random) {
  std::array<std::uint8_t, 2> octets{};
  random.fill(octets);
  const int fraction = octets[0] << 8 | octets[1];  // of 65535
  return least + (most - least) * fraction / 65535;
}

}  // namespace hearthcast::nat
