#include "appliance/app/peer_settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "tunnelmgr/runtime/settings.hpp"

namespace hearthcast::app {
namespace {

using Assign = std::function<void()>;
using runtime::Settings;

const char* const kForms =
    R"("gre", "gre-udp", "gre-gue", "6in4", "6in4-udp", "6in4-gue", "ayiya" or "ayiya-sha1")";

std::optional<std::uint32_t> parse_key(const std::string& text) {
  std::uint32_t key = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), key);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(key) : std::nullopt;
}

void key(Settings& row, std::optional<std::uint32_t>& variable) {
  row.parsed("key", variable ? std::to_string(*variable) : "",
             R"(a number up to 4294967295 in quotes, or "")",
             "GRE key that both ends are told; \"\": none. It is no secret.",
             [&variable](const std::string& text) -> std::optional<Assign> {
               const auto parsed = parse_key(text);
               if (!parsed && !text.empty()) {
                 return std::nullopt;
               }
               return [&variable, parsed] { variable = parsed; };
             });
}

void declare_peer(Settings& row, PeerSettings& peer) {
  row.text("name", peer.name, "What it is called in status and logs.");
  row.text("encapsulation", peer.encapsulation,
           std::string("How packets travel: ") + kForms + ". docs/tunnels tells what each protects.");
  row.text("seal", peer.seal,
           "\"none\" has to be written: everybody on the way can see and change what this peer watches.");
  row.text("endpoint", peer.endpoint,
           "Where it is: ADDRESS, or ADDRESS:PORT over UDP; \"6to4:ADDRESS\" or "
           "\"6rd:PREFIX,IPV4-PREFIX,ADDRESS\" "
           "to take it from an IPv6 address; \"\": learnt from what the peer signs (AYIYA, heartbeat).");
  row.number(
      "port", peer.port, 0, 65535,
      "UDP port here; 0: the usual one, 4754 for gre-udp, 3653 for 6in4-udp, 6080 for GUE, 5072 for AYIYA.");
  key(row, peer.key);
  row.flag("sequence", peer.sequence, "GRE sequence numbers, both ways.");
  row.flag("checksum", peer.checksum, "GRE checksums, both ways.");
  row.flag("heartbeat", peer.heartbeat,
           "6in4 only: the peer tells its address by SixXS heartbeats, UDP port 3740.");
  row.text("local_address", peer.local_address, "AYIYA: this box's IPv6 address in the tunnel.");
  row.text("peer_address", peer.peer_address, "AYIYA and heartbeats: the peer's IPv6 address in the tunnel.");
  row.path("secret_file", peer.secret_file,
           "AYIYA and heartbeats: file of the secret; for \"ayiya\" 64 hexadecimal digits, as `openssl rand "
           "-hex 32` "
           "prints them, else a password.");
  row.texts("channels", peer.channels,
            "What it may watch: \"all\", or numbers as `hearthcast-box channels` shows them.");
}

PeerSettings example() {
  PeerSettings peer;
  peer.name = "cabin";
  peer.encapsulation = "gre-udp";
  peer.seal = "none";
  peer.endpoint = "192.0.2.7:4754";
  peer.channels = {"all"};
  return peer;
}

std::string check_one(const PeerSettings& peer) {
  const auto planned = plan(peer);
  return planned ? "" : planned.error().text;
}

}  // namespace

void declare(Settings& settings, std::vector<PeerSettings>& peers) {
  settings.tables<PeerSettings>("peer", peers,
                                "A router or Linux host that takes part by an UNSEALED tunnel of its kernel. "
                                "Devices with hearthcast-away need "
                                "none: theirs are sealed.",
                                declare_peer, check_one, example());
}

std::string check_together(const std::vector<PeerSettings>& peers) {
  for (std::size_t i = 0; i < peers.size(); ++i) {
    const auto one = plan(peers[i]);
    for (std::size_t j = 0; one && j < i; ++j) {
      const auto other = plan(peers[j]);
      const std::string both = "peers \"" + peers[j].name + "\" and \"" + peers[i].name + "\" ";
      if (peers[i].name == peers[j].name) {
        return "two peers are called \"" + peers[i].name + "\"";
      }
      if (!other || one->port != other->port) {
        continue;
      }
      const auto& a = one->machine;
      const auto& b = other->machine;
      if (a.encapsulation.form != b.encapsulation.form ||
          a.encapsulation.carrier != b.encapsulation.carrier) {
        return both + "have different encapsulations on one port: give one of them another port";
      }
      if (a.encapsulation.form != tunnel::Form::kAyiya && a.endpoint && b.endpoint &&
          a.endpoint->address == b.endpoint->address) {
        return both + "are at one address: give one of them another port";
      }
      if (a.encapsulation.form == tunnel::Form::kAyiya &&
          a.encapsulation.ayiya.remote == b.encapsulation.ayiya.remote) {
        return both + "have one peer_address";
      }
    }
  }
  return "";
}

}  // namespace hearthcast::app
