#include "tunnelmgr/away/settings.hpp"

namespace hearthcast::away {

runtime::Settings declare(AwaySettings& s) {
  runtime::Settings settings;
  settings.path("state_dir", s.state_dir,
                "Folder of the client's identity and of what it remembers of its box.");
  settings.path("control_socket", s.control_socket, "Unix socket that the subcommands talk to.");
  settings.text("run_as", s.run_as, "User to become when started as root; empty: stay what one is.");
  settings.text("name", s.name, "What the box calls this device when it pairs; empty: the machine's name.");
  settings.endpoint("http.listen", s.http_listen,
                    "Where players find the playlist. Keep it on the loopback.");
  settings.number("network.tunnel_port", s.tunnel_port, 0, 65535,
                  "UDP port of the tunnel; 0: chosen once and kept, so that NATs recognise it.");
  settings.parsed("network.relay", to_string(s.relay), std::string(signalling::kRelayPolicyForm),
                  "Whether the stream may go through a relay: \"auto\", where no direct path is found; "
                  "\"never\"; \"always\", not even looking for one. The box may forbid or want it, too.",
                  [&s](const std::string& word) -> std::optional<std::function<void()>> {
                    const auto policy = signalling::parse_relay_policy(word);
                    if (!policy) {
                      return std::nullopt;
                    }
                    return [&s, policy] { s.relay = *policy; };
                  });
  settings.parsed("network.encapsulation", tunnel::to_string(s.encapsulation), std::string(tunnel::kForms),
                  "What channels are in, inside DTLS: \"gre\", where what is lost is sent again; \"6in4\", "
                  "bare IP packets, or "
                  "\"ayiya\", both without that. The box is asked for it; a path too narrow for it gets GRE.",
                  [&s](const std::string& word) -> std::optional<std::function<void()>> {
                    const auto form = tunnel::parse_form(word);
                    if (!form) {
                      return std::nullopt;
                    }
                    return [&s, form] { s.encapsulation = *form; };
                  });
  settings.flag(
      "network.ask_lan", s.ask_lan,
      "While the box is not reached, ask the network that this machine is in whether it is there (mDNS). "
      "Neighbours see the question.");
  settings.flag("tun.on", s.tun_on,
                "Make a network interface, on which any program finds the channels as multicast, as at home. "
                "Needs root with run_as, or hearthcast-away-netd.socket.");
  settings.level("log.level", s.log_level, "debug, info, warning or error.");
  return settings;
}

}  // namespace hearthcast::away
