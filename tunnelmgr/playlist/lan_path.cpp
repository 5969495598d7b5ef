#include "tunnelmgr/playlist/lan_path.hpp"

namespace hearthcast::playlist {
namespace {

constexpr std::string_view kLan = "/lan/";
constexpr std::string_view kUdp = "udp/";
constexpr std::string_view kRtp = "rtp/";
constexpr std::string_view kPlaylist = "playlist.m3u";
constexpr std::size_t kMaxAddress = 256;  // two IPv6 addresses and a port need less than half of it

LanWish wish_of(std::string_view rest) {
  if (rest.empty()) {
    return LanOverview{};
  }
  if (rest == kPlaylist) {
    return LanPlaylist{};
  }
  const bool rtp = rest.starts_with(kRtp);
  if (!rtp && !rest.starts_with(kUdp)) {
    return LanMistake{false, "There is playlist.m3u, udp/GROUP:PORT and rtp/GROUP:PORT."};
  }
  const std::string_view address = rest.substr(kUdp.size());
  if (address.size() > kMaxAddress) {
    return LanMistake{true, "The address is too long; write GROUP:PORT, IPv6 in brackets."};
  }
  auto entry = parse_channel_url((rtp ? "rtp://" : "udp://") + std::string(address));
  if (!entry) {
    return LanMistake{true, entry.error().text};
  }
  return LanChannel{entry->flow, rtp};
}

}  // namespace

bool is_lan_path(std::string_view path) {
  return path == "/lan" || path.starts_with(kLan) || path == "/playlist.m3u" || path.starts_with("/udp/") ||
         path.starts_with("/rtp/");
}

LanPath parse_lan_path(std::string_view path) {
  if (!path.starts_with(kLan)) {
    return {"", path == "/lan" ? LanWish(LanOverview{}) : wish_of(path.substr(path.empty() ? 0 : 1))};
  }
  const std::string_view rest = path.substr(kLan.size());
  const std::size_t slash = rest.find('/');
  const std::string_view after =
      slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
  return {std::string(rest.substr(0, slash)), wish_of(after)};
}

std::string lan_channel(const FlowKey& flow, bool rtp) {
  return std::string(rtp ? kRtp : kUdp) + flow.to_string();
}

std::string lan_channel_path(std::string_view token, const FlowKey& flow, bool rtp) {
  return std::string(kLan) + std::string(token) + "/" + lan_channel(flow, rtp);
}

std::string lan_playlist_path(std::string_view token) {
  return std::string(kLan) + std::string(token) + "/" + std::string(kPlaylist);
}

}  // namespace hearthcast::playlist
