// The addresses of the LAN relay: what players at home open at the box, in the grammar that udpxy made
// common, below a token that says whose player it is (docs/protocol/lan-relay.md).
//
//   /lan/TOKEN/playlist.m3u
//   /lan/TOKEN/udp/[SOURCE@]GROUP:PORT      also /rtp/; IPv6 addresses in brackets
//
// Paths are percent-decoded and without their query. Nothing here says whether the token is anybody's.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "tunnelmgr/playlist/m3u.hpp"

namespace hearthcast::playlist {

struct LanOverview {};  // the token alone
struct LanPlaylist {};
struct LanChannel {
  FlowKey flow;
  bool rtp = false;  // how it was asked for; the relay strips RTP headers wherever they are
};
struct LanMistake {      // below a token, but no address of a channel
  bool address = false;  // of /udp/ or /rtp/, badly written; else the path is unknown
  std::string text;      // for people
};
using LanWish = std::variant<LanOverview, LanPlaylist, LanChannel, LanMistake>;

struct LanPath {
  std::string token;  // as it came; empty when the path has none
  LanWish wish;
};

// Whether the relay answers it at all: below /lan/, and where udpxy's own addresses are.
[[nodiscard]] bool is_lan_path(std::string_view path);
// Of such a path. Those without a token have an empty one.
[[nodiscard]] LanPath parse_lan_path(std::string_view path);

// "udp/239.1.1.1:5000", "rtp/192.0.2.1@232.1.1.1:5000", "udp/[2001:db8::1]@[ff3e::8000:1]:5000"
[[nodiscard]] std::string lan_channel(const FlowKey& flow, bool rtp);
// The whole path of it, or of the playlist.
[[nodiscard]] std::string lan_channel_path(std::string_view token, const FlowKey& flow, bool rtp);
[[nodiscard]] std::string lan_playlist_path(std::string_view token);

}  // namespace hearthcast::playlist
