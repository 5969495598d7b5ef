// What players ask the box for: a channel that is understood is written to a path that means the same again.
#include "tunnelmgr/playlist/lan_path.hpp"

using namespace hearthcast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text({data, size});
  for (const std::string& path : {std::string(text), "/lan/T/" + std::string(text)}) {
    const auto parsed = playlist::parse_lan_path(path);
    if (parsed.token.size() > path.size() || parsed.token.find('/') != std::string::npos) {
      __builtin_trap();
    }
    if (!parsed.token.empty() && !playlist::is_lan_path(path)) {
      __builtin_trap();
    }
    if (const auto* mistake = std::get_if<playlist::LanMistake>(&parsed.wish);
        mistake && mistake->text.empty()) {
      __builtin_trap();
    }
    const auto* channel = std::get_if<playlist::LanChannel>(&parsed.wish);
    if (channel == nullptr) {
      continue;
    }
    const auto again = playlist::parse_lan_path(playlist::lan_channel_path("T", channel->flow, channel->rtp));
    const auto* same = std::get_if<playlist::LanChannel>(&again.wish);
    if (again.token != "T" || same == nullptr || same->flow != channel->flow || same->rtp != channel->rtp) {
      __builtin_trap();
    }
  }
  return 0;
}
