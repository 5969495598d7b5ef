// A text as a QR code in SVG, for a page and for a printer.
#pragma once

#include <string>
#include <vector>

namespace hearthcast::api {

// Dark modules by row, without quiet zone; empty when the text is too long for any QR code (about 2,900
// octets).
[[nodiscard]] std::vector<std::vector<bool>> qr_modules(const std::string& text);

// A square picture with the quiet zone of four modules that scanners want. Empty when the text is too long.
[[nodiscard]] std::string qr_svg(const std::string& text);

}  // namespace hearthcast::api
