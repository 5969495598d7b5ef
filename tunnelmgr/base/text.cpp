#include "tunnelmgr/base/text.hpp"

#include <array>
#include <charconv>

namespace hearthcast {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kCrockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

int value_of(std::string_view alphabet, char c) {
  const auto at = alphabet.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port != 0 ? std::optional(port)
                                                                               : std::nullopt;
}

std::string to_hex(Bytes bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t b : bytes) {
    text += kHex[b >> 4];
    text += kHex[b & 15];
  }
  return text;
}

std::optional<Buffer> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) {
    return std::nullopt;
  }
  Buffer out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    int octet = 0;
    for (const char c : text.substr(i, 2)) {
      const int digit = value_of(kHex, c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
      if (digit < 0) {
        return std::nullopt;
      }
      octet = octet * 16 + digit;
    }
    out.push_back(static_cast<std::uint8_t>(octet));
  }
  return out;
}

std::string to_base64url(Bytes bytes) {
  std::string text;
  unsigned bits = 0;
  int count = 0;
  for (const std::uint8_t b : bytes) {
    bits = (bits << 8 | b) & 0xffff;
    for (count += 8; count >= 6; count -= 6) {
      text += kBase64url[bits >> (count - 6) & 63];
    }
  }
  if (count > 0) {
    text += kBase64url[bits << (6 - count) & 63];
  }
  return text;
}

std::optional<Buffer> from_base64url(std::string_view text) {
  Buffer out;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text) {
    const int value = value_of(kBase64url, c);
    if (value < 0) {
      return std::nullopt;
    }
    bits = (bits << 6 | static_cast<unsigned>(value)) & 0xffff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<std::uint8_t>(bits >> count));
    }
  }
  const bool stray = count >= 6 || (bits & ((1U << count) - 1)) != 0;
  return stray ? std::nullopt : std::optional(out);
}

std::string to_crockford(Bytes bytes, std::size_t symbols) {
  std::string text;
  for (std::size_t i = 0; i < symbols; ++i) {
    unsigned value = 0;
    for (std::size_t bit = i * 5; bit < i * 5 + 5; ++bit) {
      const unsigned octet = bit / 8 < bytes.size() ? bytes[bit / 8] : 0U;
      value = value << 1 | (octet >> (7 - bit % 8) & 1U);
    }
    text += kCrockford[value];
  }
  return text;
}

std::optional<std::vector<std::uint8_t>> from_crockford(std::string_view text) {
  std::vector<std::uint8_t> values;
  for (char c : text) {
    if (c == '-' || c == ' ') {
      continue;
    }
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    c = c == 'I' || c == 'L' ? '1' : c == 'O' ? '0' : c;
    const int value = value_of(kCrockford, c);
    if (value < 0) {
      return std::nullopt;
    }
    values.push_back(static_cast<std::uint8_t>(value));
  }
  return values;
}

}  // namespace hearthcast
