#include "appliance/channels/label.hpp"

#include <cstdint>

namespace hearthcast::channels {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

struct Decoded {
  std::size_t size = 1;     // octets consumed
  char32_t code_point = 0;  // valid only when ok
  bool ok = false;
};

// One code point from the front of a text that is not empty (RFC 3629: no overlong forms, no surrogates).
Decoded decode_one(std::string_view text) {
  const auto octet = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = octet(0);
  if (lead < 0x80) {
    return {1, lead, true};
  }
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) {
    return {};
  }
  char32_t value = lead & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((octet(i) & 0xc0) != 0x80) {
      return {};
    }
    value = value << 6 | (octet(i) & 0x3fU);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < kSmallest[size] || value > 0x10ffff || surrogate) {
    return {};
  }
  return {size, value, true};
}

// Controls of both blocks, and the marks that reorder or hide what follows them: a name must not disguise
// itself.
bool is_unprintable(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || (c >= 0x202a && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

}  // namespace

std::string clean_label(std::string_view raw, std::size_t max_characters) {
  std::string out;
  std::size_t characters = 0;
  bool space_pending = false;
  while (!raw.empty()) {
    const Decoded next = decode_one(raw);
    const std::string_view octets = raw.substr(0, next.size);
    raw.remove_prefix(next.size);
    if (next.ok && (next.code_point == ' ' || is_unprintable(next.code_point))) {
      space_pending = !out.empty();
      continue;
    }
    if (characters + (space_pending ? 2 : 1) > max_characters) {
      break;
    }
    if (space_pending) {
      out += ' ';
      ++characters;
      space_pending = false;
    }
    out += next.ok ? octets : kReplacement;
    ++characters;
  }
  return out;
}

}  // namespace hearthcast::channels
