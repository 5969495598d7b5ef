// Reads M3U playlists of multicast channels as providers and people write them, and writes playlists for
// players.
//
// Text may be of any line ending, with or without a byte order mark, in UTF-8 or else taken as ISO 8859-1.
// Nothing that a playlist holds is an error of the whole: every line that should be an address gets a result
// of its own.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::playlist {

// Of a longer line only the beginning is read; as an address it is refused.
inline constexpr std::size_t kMaxLine = std::size_t{16} * 1024;

using Attributes = std::map<std::string, std::string>;

struct Entry {
  FlowKey flow;
  bool rtp = false;
  std::string name = {};       // UTF-8; empty when the playlist has none
  Attributes attributes = {};  // tvg-id, tvg-logo, group-title, ...; UTF-8, as they were written
  friend bool operator==(const Entry&, const Entry&) = default;
};

struct Line {
  std::size_t number = 0;  // from 1
  Result<Entry, Failure> entry;
};

struct Playlist {
  std::vector<Line> lines;     // in order; blank lines, comments and directives have none
  Attributes attributes = {};  // of the #EXTM3U line, as url-tvg
};

[[nodiscard]] Playlist read_m3u(std::string_view text);

// One address: udp:// or rtp://, then SOURCE@GROUP:PORT, @GROUP:PORT or GROUP:PORT, IPv6 in brackets; what
// follows the port (/, ?pkt_size=1316) is ignored, but ?sources=ADDRESS names the source too.
[[nodiscard]] Result<Entry, Failure> parse_channel_url(std::string_view url);

struct PlayerEntry {
  std::string url;  // http://127.0.0.1:8870/channel/7
  std::string name;
  Attributes attributes = {};
};
// Whatever the names hold, the result has two lines per entry; quotes in values become apostrophes, since M3U
// knows no escape.
[[nodiscard]] std::string write_m3u(const std::vector<PlayerEntry>& entries);

}  // namespace hearthcast::playlist
