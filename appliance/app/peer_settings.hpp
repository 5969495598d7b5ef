// `[[peer]]` in the settings of hearthcast-box: routers and Linux hosts that take part by an unsealed tunnel
// of their kernel. There is none unless the owner writes one, and says in it that it is unsealed.
// docs/tunnels/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "appliance/access/device.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/tunnel/static_peer.hpp"

namespace hearthcast::runtime {
class Settings;
}

namespace hearthcast::app {

// As written.
struct PeerSettings {
  std::string name;
  std::string encapsulation;
  std::string seal;
  std::string endpoint;
  std::uint16_t port = 0;
  std::optional<std::uint32_t> key;
  bool sequence = false;
  bool checksum = false;
  bool heartbeat = false;
  std::string local_address;
  std::string peer_address;
  std::filesystem::path secret_file;
  std::vector<std::string> channels;
  friend bool operator==(const PeerSettings&, const PeerSettings&) = default;
};

void declare(runtime::Settings& settings, std::vector<PeerSettings>& peers);

// Where a peer's packets come and go: a UDP port of ours, or an IP protocol of one family.
struct PeerPort {
  std::uint16_t udp = 0;         // 0: none
  std::uint8_t ip_protocol = 0;  // 0: none
  Family family = Family::kIp4;  // of the latter
  friend auto operator<=>(const PeerPort&, const PeerPort&) = default;
};

// What it means.
struct PeerPlan {
  PeerPort port;
  tunnel::StaticPeerSettings machine;  // the secret not yet read
  access::Grants grants;
};
[[nodiscard]] Result<PeerPlan, Failure> plan(const PeerSettings& peer);
// What is wrong with all of them together; "" when nothing.
[[nodiscard]] std::string check_together(const std::vector<PeerSettings>& peers);
// Puts the secret of its file into the plan: 64 hexadecimal digits for the hardened AYIYA, else a password in
// one line.
[[nodiscard]] Result<void, Failure> read_secret(PeerPlan& made, const std::filesystem::path& file);

// "192.0.2.7", "192.0.2.7:4754", "[2001:db8::7]:4754", "6to4:2002:c000:207::1" or
// "6rd:2001:db8::/32,10.0.0.0/8,2001:db8:102:300::1". Port 0 when none is written.
[[nodiscard]] std::optional<Endpoint> parse_peer_endpoint(const std::string& text);

}  // namespace hearthcast::app
