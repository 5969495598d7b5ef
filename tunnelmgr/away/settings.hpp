// The settings of hearthcast-away: /etc/hearthcast/away.toml. Every default is here, and in the sample file,
// which a test compares.
#pragma once

#include <filesystem>
#include <string>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/runtime/settings.hpp"
#include "tunnelmgr/signalling/relay_policy.hpp"
#include "tunnelmgr/tunnel/form.hpp"

namespace hearthcast::away {

struct AwaySettings {
  std::filesystem::path state_dir = "/var/lib/hearthcast/away";
  std::filesystem::path control_socket = "/run/hearthcast/away/away.sock";
  std::string run_as;
  std::string name;  // empty: the machine's name
  Endpoint http_listen = *Endpoint::parse("127.0.0.1:8870");
  signalling::RelayPolicy relay = signalling::RelayPolicy::kAuto;
  tunnel::Form encapsulation = tunnel::Form::kGre;
  std::uint16_t tunnel_port = 0;
  bool ask_lan = true;
  bool tun_on = false;
  Level log_level = Level::kInfo;
};

// The keys, bound to the members of `settings`, which must outlive the result.
[[nodiscard]] runtime::Settings declare(AwaySettings& settings);

}  // namespace hearthcast::away
