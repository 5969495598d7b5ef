// The floating-point codes of Max Response and Querier's Query Interval: RFC 3810 section 5.1.3 and 5.1.9,
// RFC 3376 section 4.1.1 and 4.1.7.
#pragma once

#include <cstdint>

namespace hearthcast::wire {

// A code below the first one with its top bit set is the value itself; others have 3 bits of exponent and
// `kMantissa` bits of mantissa: 4 in the one-octet codes, 12 in MLD's Maximum Response Code.
template <int kMantissa>
struct FloatingCode {
  static constexpr std::uint32_t kFirst = std::uint32_t{1} << (kMantissa + 3);
  static constexpr std::uint32_t kHidden = std::uint32_t{1} << kMantissa;

  [[nodiscard]] static constexpr std::uint32_t value(std::uint32_t code) {
    if (code < kFirst) {
      return code;
    }
    return ((code & (kHidden - 1)) | kHidden) << ((code >> kMantissa & 7) + 3);
  }

  // The code of the largest value that is not above `value`.
  [[nodiscard]] static constexpr std::uint32_t code(std::uint64_t value) {
    if (value < kFirst) {
      return static_cast<std::uint32_t>(value);
    }
    std::uint32_t exponent = 0;
    while (value >> (exponent + 3) >= std::uint64_t{2} * kHidden) {
      if (++exponent > 7) {
        return 2 * kFirst - 1;
      }
    }
    return kFirst | exponent << kMantissa |
           (static_cast<std::uint32_t>(value >> (exponent + 3)) & (kHidden - 1));
  }
};

}  // namespace hearthcast::wire
