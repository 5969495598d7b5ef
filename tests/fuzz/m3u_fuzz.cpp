// M3U: names are clean UTF-8; a playlist written of them has the same entries in the same order.
#include "tunnelmgr/playlist/m3u.hpp"
#include "tunnelmgr/playlist/utf8.hpp"

using namespace hearthcast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto list = playlist::read_m3u(as_text({data, size}));
  std::vector<playlist::PlayerEntry> entries;
  std::size_t last = 0;
  for (const auto& line : list.lines) {
    if (line.number <= last) {
      __builtin_trap();
    }
    last = line.number;
    if (!line.entry) {
      continue;
    }
    if (!playlist::is_utf8(line.entry->name)) {
      __builtin_trap();
    }
    // The flow's own text form is an address that reads back to the same flow.
    const auto again = playlist::parse_channel_url("udp://" + line.entry->flow.to_string());
    if (!again || again->flow != line.entry->flow) {
      __builtin_trap();
    }
    entries.push_back({"udp://" + line.entry->flow.to_string(), line.entry->name, line.entry->attributes});
  }
  const auto written = playlist::read_m3u(playlist::write_m3u(entries));
  if (written.lines.size() != entries.size()) {
    __builtin_trap();
  }
  return 0;
}
