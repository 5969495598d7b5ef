// The settings of hearthcast-box: /etc/hearthcast/box.toml. Few, and read once; whatever the owner changes
// while it runs is in the database. Every default is here, and in the sample file, which a test compares.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "appliance/app/peer_settings.hpp"
#include "appliance/multicast/settings.hpp"
#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/base/prefix.hpp"
#include "tunnelmgr/runtime/settings.hpp"
#include "tunnelmgr/signalling/pairing_code.hpp"
#include "tunnelmgr/signalling/relay_policy.hpp"

namespace hearthcast::app {

struct BoxSettings {
  std::filesystem::path state_dir = "/var/lib/hearthcast/box";
  std::filesystem::path control_socket = "/run/hearthcast/box/box.sock";
  std::string run_as;
  std::string name = "Home";
  signalling::RelayPolicy relay = signalling::RelayPolicy::kAuto;
  std::uint16_t tunnel_port = 4755;
  std::uint8_t dscp = 34;  // AF41
  bool port_mapping = false;
  bool gather = true;
  bool answer_lan = true;
  std::string public_address;
  std::string upstream_interface;
  Prefix inner_ip4 = *Prefix::parse("10.203.0.0/16");
  bool web_in_tunnel = true;
  Endpoint https_listen = *Endpoint::parse("[::]:8871");
  bool http_on = true;
  Endpoint http_listen = *Endpoint::parse("[::]:8872");
  std::string host_names;  // separated by commas
  std::string rendezvous_url;
  std::string rendezvous_pin = "webpki";
  std::string rendezvous_token;
  Level log_level = Level::kInfo;
  bool metrics_for_all = false;
  multicast::MulticastSettings multicast;
  std::vector<PeerSettings> peers;

  // Nothing when no url is set; a Failure when url or pin have no meaning.
  [[nodiscard]] Result<std::optional<signalling::RendezvousAddress>, Failure> rendezvous() const;
};

// The settings of that file, whole and checked.
[[nodiscard]] Result<BoxSettings, Failure> read_settings(const std::filesystem::path& file);

// The keys, bound to the members of `settings`, which must outlive the result.
[[nodiscard]] runtime::Settings declare(BoxSettings& settings);

}  // namespace hearthcast::app
