#include <algorithm>

#include "tunnelmgr/playlist/m3u.hpp"
#include "tunnelmgr/playlist/utf8.hpp"

namespace hearthcast::playlist {
namespace {

bool is_key(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

std::string quoted(const std::string& value) {
  std::string out = clean_text(value);
  std::replace(out.begin(), out.end(), '"', '\'');
  return '"' + out + '"';
}

}  // namespace

std::string write_m3u(const std::vector<PlayerEntry>& entries) {
  std::string out = "#EXTM3U\n";
  for (const PlayerEntry& entry : entries) {
    out += "#EXTINF:-1";
    for (const auto& [key, value] : entry.attributes) {
      if (is_key(key)) {
        out += ' ' + key + '=' + quoted(value);
      }
    }
    out += ',' + clean_text(entry.name) + '\n' + clean_text(entry.url) + '\n';
  }
  return out;
}

}  // namespace hearthcast::playlist
