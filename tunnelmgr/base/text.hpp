// Numbers and octets as text: ports, hexadecimal, base64url (RFC 4648 section 5, without padding), Crockford
// base32.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tunnelmgr/base/bytes.hpp"

namespace hearthcast {

[[nodiscard]] std::optional<std::uint16_t> parse_port(std::string_view text);  // decimal, 1 to 65535

[[nodiscard]] std::string to_hex(Bytes bytes);                              // lower case
[[nodiscard]] std::optional<Buffer> from_hex(std::string_view text);        // both cases
[[nodiscard]] std::string to_base64url(Bytes bytes);                        // no padding
[[nodiscard]] std::optional<Buffer> from_base64url(std::string_view text);  // refuses padding and stray bits

// Crockford base32, five bits a symbol, most significant first. Writing: upper case, without I, L, O and U.
// Reading: lower case too, I and L as 1, O as 0, hyphens and spaces skipped.
[[nodiscard]] std::string to_crockford(Bytes bytes, std::size_t symbols);  // the first symbols * 5 bits
[[nodiscard]] std::optional<std::vector<std::uint8_t>> from_crockford(std::string_view text);  // values 0..31

}  // namespace hearthcast
