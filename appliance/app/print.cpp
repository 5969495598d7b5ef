#include "appliance/app/print.hpp"

#include <charconv>
#include <nlohmann/json.hpp>

#include "appliance/api/qr_code.hpp"

namespace hearthcast::app {
namespace {

using nlohmann::json;

std::string padded(const std::string& text, std::size_t width) {
  std::size_t characters = 0;
  for (const char c : text) {
    characters += (static_cast<unsigned char>(c) & 0xc0) == 0x80 ? 0U : 1U;
  }
  return text + std::string(characters < width ? width - characters : 1, ' ');
}

std::string number(const json& object, const char* key) {
  return std::to_string(object.value(key, std::int64_t{0}));
}

std::string bracketed(const std::string& address) {
  return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

// The form of a playlist: SOURCE@GROUP:PORT, IPv6 in brackets.
std::string address(const json& flow) {
  const std::string source = flow.value("source", "");
  return (source.empty() ? "" : bracketed(source) + "@") + bracketed(flow.value("group", "")) + ":" +
         number(flow, "port");
}

std::string megabits(std::int64_t bits) {
  return std::to_string(bits / 1'000'000) + "." + std::to_string(bits / 100'000 % 10) + " Mbit/s";
}

std::string grants(const json& channels) {
  if (channels.is_string()) {
    return "all channels";
  }
  std::string text;
  for (const json& id : channels) {
    text += (text.empty() ? "channels " : ",") + std::to_string(id.get<std::int64_t>());
  }
  return text.empty() ? "no channels" : text;
}

// What it asked for, unless it is what all have; and how channels travel, where that is not told by it.
std::string how(const json& device) {
  const std::string encapsulation = device.value("encapsulation", "gre");
  const std::string form = device.value("form", "");
  const bool usual = form.empty() || form == (encapsulation == "gre" ? "full" : encapsulation);
  return (encapsulation == "gre" ? "" : ", " + encapsulation) + (usual ? "" : ", " + form);
}

std::string where(const json& device) {
  if (device.value("connected", false)) {
    return "connected " + device.value("path", "") +
           (device.contains("path_reason") ? " (" + device.value("path_reason", "") + ")" : "") + " " +
           device.value("address", "") +
           (device.contains("path_mtu") ? ", path MTU " + number(device, "path_mtu") : "") + how(device);
  }
  return device.contains("last_seen_s") ? "last seen " + number(device, "last_seen_s") + " s ago"
                                        : "not connected";
}

std::string home_hosts(const json& device) {
  std::string text;
  for (const json& host : device.value("home_hosts", json::array())) {
    text += (text.empty() ? "; at home " : ", ") + host.get<std::string>();
  }
  return text;
}

}  // namespace

std::string print_status(const json& status) {
  std::string text = status.value("name", "") + " (hearthcast-box " + status.value("version", "") +
                     "), running for " + number(status, "uptime_s") + " s\n";
  if (status.value("setup_needed", false)) {
    text += "set-up       not done: open the box's web page; `hearthcast-box setup-code` prints the code\n";
  }
  for (const auto& [key, label] :
       {std::pair("rendezvous", "rendezvous   "), std::pair("reachability", "reachability "),
        std::pair("upstream", "upstream     ")}) {
    if (status.contains(key)) {
      text += label + status[key].value("text", "") + "\n";
    }
  }
  if (const json mapping = status.value("port_mapping", json::object());
      mapping.value("state", "off") != "off") {
    text += "port mapping " + mapping.value("text", "") + "\n";
  }
  if (const json inside = status.value("tunnel_interface", json::object());
      inside.value("state", "off") == "up" || inside.value("state", "off") == "failed") {
    text += "in tunnels   " + inside.value("text", "") + "\n";
  }
  std::string names;
  for (const json& name : status.value("unsealed_peers", json::array())) {
    names += (names.empty() ? "" : ", ") + name.get<std::string>();
  }
  if (!names.empty()) {
    text += "unsealed     NOT ENCRYPTED: everybody on the way can see what " + names +
            " watches; `hearthcast-box peers` tells more\n";
  }
  return text;
}

std::string print_channels(const json& answer) {
  std::string text;
  for (const json& channel : answer.value("channels", json::array())) {
    const json live = channel.value("live", json::object());
    text += padded(number(channel, "id"), 6) + padded(channel.value("name", ""), 32) +
            padded(address(channel.value("flow", json::object())), 42) + live.value("state", "");
    if (live.value("state", "") == "live") {
      text += ", " + megabits(live.value("bitrate_bps", std::int64_t{0})) + ", " + number(live, "viewers") +
              " watching";
    }
    text += "\n";
  }
  return text.empty() ? "There are no channels yet: hearthcast-box import PLAYLIST\n" : text;
}

std::string print_import(const json& report) {
  std::string text;
  for (const json& line : report.value("lines", json::array())) {
    if (line.value("result", "") == "failed") {
      text += "line " + number(line, "line") + ": " + line.value("text", "") + "\n";
    }
  }
  return text + number(report, "added") + " added, " + number(report, "updated") + " updated, " +
         number(report, "unchanged") + " unchanged, " + number(report, "failed") + " failed\n";
}

std::string print_pairing(const json& pairing) {
  const std::string link = pairing.value("link", "");
  return print_qr(link) + "Link  " + link + "\nCode  " + pairing.value("code", "") +
         "\nOn the device: hearthcast-away pair LINK. Good for one device, for " +
         number(pairing, "expires_in_s") + " s and " + number(pairing, "tries_left") + " tries.\n";
}

std::string print_pairings(const json& answer) {
  std::string text;
  for (const json& pairing : answer.value("pairings", json::array())) {
    text += print_pairing(pairing);
  }
  return text.empty() ? "The box is not waiting for a device: hearthcast-box pair\n" : text;
}

std::string print_device(const json& device) {
  return padded(number(device, "id"), 6) + padded(device.value("name", ""), 24) +
         padded(device.value("fingerprint", ""), 6) + padded(device.value("state", ""), 10) +
         grants(device.value("channels", json::array())) + "; " + where(device) +
         (device.value("lan_link", false) ? "; LAN link" : "") + home_hosts(device) + "\n";
}

std::string print_devices(const json& answer) {
  std::string text;
  for (const json& device : answer.value("devices", json::array())) {
    text += print_device(device);
  }
  return text.empty() ? "No device is paired yet: hearthcast-box pair\n" : text;
}

std::string print_viewers(const json& answer) {
  std::string text;
  for (const json& viewer : answer.value("viewers", json::array())) {
    text += padded(viewer.value("device_name", ""), 24) + padded(viewer.value("channel_name", ""), 32) +
            padded(viewer.value("via", "") == "lan_link" ? "by its LAN link" : viewer.value("path", "tunnel"),
                   16) +
            "for " + number(viewer, "since_s") + " s, " + number(viewer, "packets") + " packets, " +
            number(viewer, "dropped") + " dropped\n";
  }
  return text.empty() ? "Nobody watches.\n" : text;
}

std::string print_lan_link(const json& link) {
  std::string text =
      "Open this in a player at home. It is shown only now; whoever has it watches as this device.\n";
  const auto urls = link.value("urls", std::vector<std::string>());
  for (const std::string& url : urls) {
    text += url + "\n";
  }
  if (urls.empty()) {
    text += "http://ADDRESS-OF-THE-BOX:" + number(link, "port") + link.value("path", "") + "\n";
  }
  return text;
}

std::string print_peers(const json& answer) {
  std::string text;
  for (const json& peer : answer.value("peers", json::array())) {
    text += padded(peer.value("name", ""), 24) + padded(peer.value("encapsulation", ""), 12) +
            padded(peer.value("sealed", false) ? "sealed" : "NOT ENCRYPTED", 15) +
            peer.value("endpoint", "not known where") + (peer.value("learnt", false) ? " (learnt)" : "");
    const json watching = peer.value("watching", json::array());
    text += watching.empty() ? "; watches nothing" : "; watches " + grants(watching);
    text += "; " + number(peer, "packets") + " packets\n";
    for (const char* words : {"trouble", "refusal"}) {
      if (peer.contains(words)) {
        text += "  " + peer.value(words, "") + "\n";
      }
    }
    const json drops = peer.value("drops", json::object());
    for (const auto& [reason, count] : drops.items()) {
      if (count != 0) {
        text += "  dropped from it: " + reason + " " + std::to_string(count.get<std::int64_t>()) + "\n";
      }
    }
  }
  if (text.empty()) {
    return "No peer is in the settings file: only sealed tunnels of paired devices.\n";
  }
  if (answer.value("strangers", std::int64_t{0}) != 0) {
    text += "Datagrams that could be no peer's, dropped: " + number(answer, "strangers") + "\n";
  }
  return text;
}

std::optional<json> parse_channel_list(const std::string& text) {
  if (text == "all") {
    return json("all");
  }
  json list = json::array();
  if (text == "none") {
    return list;
  }
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  while (at != end) {
    std::int64_t id = 0;
    const auto [rest, error] = std::from_chars(at, end, id);
    if (error != std::errc{} || id < 1 || (rest != end && (*rest != ',' || rest + 1 == end))) {
      return std::nullopt;
    }
    list.push_back(id);
    at = rest == end ? end : rest + 1;
  }
  return list.empty() ? std::nullopt : std::optional(list);
}

std::string print_qr(const std::string& text) {
  constexpr std::size_t kQuiet = 2;  // terminals are light around it already
  const auto modules = api::qr_modules(text);
  const auto dark = [&](std::size_t y, std::size_t x) {
    return y >= kQuiet && x >= kQuiet && y - kQuiet < modules.size() && x - kQuiet < modules.size() &&
           modules[y - kQuiet][x - kQuiet];
  };
  std::string out;
  const std::size_t size = modules.empty() ? 0 : modules.size() + 2 * kQuiet;
  for (std::size_t y = 0; y < size; y += 2) {
    out += "\x1b[30;107m";  // black on white, whatever the terminal's colours are
    for (std::size_t x = 0; x < size; ++x) {
      const bool upper = dark(y, x);
      const bool lower = dark(y + 1, x);
      out += upper ? (lower ? "\u2588" : "\u2580") : (lower ? "\u2584" : " ");
    }
    out += "\x1b[0m\n";
  }
  return out;
}

}  // namespace hearthcast::app
