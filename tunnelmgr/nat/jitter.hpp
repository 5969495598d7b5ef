// Random spread of periods, so that many homes do not speak in one breath.
#pragma once

#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/time.hpp"

namespace hearthcast::nat {

// Uniform between 0.8 and 1.2 of the period, as RFC 7675 section 5.1 wants of consent checks.
[[nodiscard]] Duration jittered(Duration period, Random& random);
// Uniform between the two.
[[nodiscard]] Duration between(Duration least, Duration most, Random& random);

}  // namespace hearthcast::nat
