#include "appliance/api/qr_code.hpp"

#include <qrencode.h>

#include <memory>

namespace hearthcast::api {

std::vector<std::vector<bool>> qr_modules(const std::string& text) {
  const auto free_code = [](QRcode* code) { QRcode_free(code); };
  // Level L: a link is long, and a screen has no scratches.
  const std::unique_ptr<QRcode, decltype(free_code)> code(
      QRcode_encodeString8bit(text.c_str(), 0, QR_ECLEVEL_L), free_code);
  std::vector<std::vector<bool>> rows;
  if (code) {
    const auto width = static_cast<std::size_t>(code->width);
    for (std::size_t y = 0; y < width; ++y) {
      std::vector<bool> row;
      for (std::size_t x = 0; x < width; ++x) {
        row.push_back((code->data[y * width + x] & 1) != 0);
      }
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

std::string qr_svg(const std::string& text) {
  constexpr std::size_t kQuiet = 4;
  const auto rows = qr_modules(text);
  if (rows.empty()) {
    return "";
  }
  const std::string size = std::to_string(rows.size() + 2 * kQuiet);
  std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + size + " " + size +
                    "\" shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h" + size + "v" + size +
                    "H0z\"/><path fill=\"#000\" d=\"";
  for (std::size_t y = 0; y < rows.size(); ++y) {
    for (std::size_t x = 0; x < rows.size(); ++x) {
      if (!rows[y][x] || (x > 0 && rows[y][x - 1])) {
        continue;  // light, or drawn already by the run that began before it
      }
      std::size_t end = x;
      while (end < rows.size() && rows[y][end]) {
        ++end;
      }
      const std::string run = std::to_string(end - x);
      svg.append("M").append(std::to_string(x + kQuiet)).append(" ").append(std::to_string(y + kQuiet));
      svg.append("h").append(run).append("v1h-").append(run).append("z");
    }
  }
  return svg + "\"/></svg>";
}

}  // namespace hearthcast::api
