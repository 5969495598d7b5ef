#include "appliance/app/box_settings.hpp"

#include "appliance/sessions/inner_plan.hpp"
#include "tunnelmgr/signalling/message.hpp"
#include "tunnelmgr/signalling/pairing.hpp"
#include "tunnelmgr/tunnel/reach.hpp"

namespace hearthcast::app {

runtime::Settings declare(BoxSettings& s) {
  runtime::Settings settings;
  settings.path("state_dir", s.state_dir,
                "Folder of the box's identity and database, and of the database's backups.");
  settings.path("control_socket", s.control_socket, "Unix socket that the subcommands talk to.");
  settings.text("run_as", s.run_as, "User to become when started as root; empty: stay what one is.");
  settings.parsed("name", s.name, "1 to 64 characters in quotes", "What devices call this box.",
                  [&s](const std::string& value) -> std::optional<std::function<void()>> {
                    if (!signalling::is_device_name(value)) {
                      return std::nullopt;  // devices refuse to pair with a box of such a name
                    }
                    return [&s, value] { s.name = value; };
                  });
  settings.number("network.tunnel_port", s.tunnel_port, 1, 65535, "UDP port of the tunnels.");
  settings.number(
      "network.dscp", s.dscp, 0, 63,
      "Mark of the tunnels' packets (DSCP), by which networks and Wi-Fi tell video from the rest: 34 "
      "is AF41; 0: no mark.");
  settings.parsed("network.relay", to_string(s.relay), std::string(signalling::kRelayPolicyForm),
                  "Whether streams to devices away may go through a relay: \"auto\", where no direct path is "
                  "found; \"never\"; \"always\", but for devices at home.",
                  [&s](const std::string& word) -> std::optional<std::function<void()>> {
                    const auto policy = signalling::parse_relay_policy(word);
                    if (!policy) {
                      return std::nullopt;
                    }
                    return [&s, policy] { s.relay = *policy; };
                  });
  settings.flag("network.port_mapping", s.port_mapping,
                "Ask the router at home to let the tunnels' port in (PCP, NAT-PMP or UPnP), so that devices "
                "reach the box also where its NAT refuses them, and without a rendezvous.");
  settings.flag("network.gather", s.gather,
                "Where 8,000 datagrams a second and more come, let them gather for up to 0.2 ms: half the "
                "processor time. false: each is handed on at once.");
  settings.flag(
      "network.answer_lan", s.answer_lan,
      "Answer devices that ask on the network at home where a box is (mDNS, _hearthcast._udp.local), by a "
      "name that says nothing and is another at each start.");
  settings.parsed(
      "network.public_address", s.public_address,
      "HOST or HOST:PORT in quotes, HOST an address or a name; \"\" for none",
      "Where the tunnels' port is to be found from outside, when you forward it by hand or have a name "
      "for your home; devices remember it when they are connected.",
      [&s](const std::string& value) -> std::optional<std::function<void()>> {
        if (!value.empty() && !tunnel::ReachAddress::parse(value)) {
          return std::nullopt;
        }
        return [&s, value] { s.public_address = value; };
      });
  settings.text("network.upstream_interface", s.upstream_interface,
                "Interface on which the provider's channels come; empty: that of the default route.");
  settings.parsed("network.inner_ip4", s.inner_ip4.to_string(),
                  "a private IPv4 range of 8 to 24 bits in quotes, as \"10.203.0.0/16\"",
                  "Where devices with a network interface of their own (hearthcast-away --tun) get their "
                  "IPv4 address inside the tunnel from.",
                  [&s](const std::string& value) -> std::optional<std::function<void()>> {
                    const auto range = sessions::parse_inner_ip4(value);
                    if (!range) {
                      return std::nullopt;
                    }
                    return [&s, range] { s.inner_ip4 = *range; };
                  });
  settings.flag("network.web_in_tunnel", s.web_in_tunnel,
                "Let approved devices with a network interface of their own reach the web page at the box's "
                "address inside the tunnel (docs/tun.md). It asks for the password there as anywhere.");
  settings.endpoint("https.listen", s.https_listen,
                    "Web page and API over HTTPS, with the box's own certificate.");
  settings.flag(
      "http.on", s.http_on,
      "Web page and API also over plain HTTP, for the network at home. Passwords cross it readable.");
  settings.endpoint("http.listen", s.http_listen, "Where, when http.on is true.");
  settings.text("http.names", s.host_names,
                "Names by which browsers may reach the box, separated by commas, beside its addresses, the "
                "machine's name "
                "and that with .local.");
  settings.text("rendezvous.url", s.rendezvous_url,
                "Introduces devices away from home: wss://HOST[:PORT]/v1; empty: none.");
  settings.text("rendezvous.pin", s.rendezvous_pin,
                "The rendezvous' key, as `hearthcast-rendezvous pin` prints it: 64 hexadecimal digits; or "
                "\"webpki\" for "
                "a certificate of the system's authorities.");
  settings.parsed(
      "rendezvous.token", s.rendezvous_token, "at most 64 characters in quotes",
      "Enrolment token, where the rendezvous' operator gave you one. Needed until it knows the box.",
      [&s](const std::string& value) -> std::optional<std::function<void()>> {
        if (value.size() > signalling::kMaxEnrolment) {
          return std::nullopt;
        }
        return [&s, value] { s.rendezvous_token = value; };
      });
  settings.level("log.level", s.log_level, "debug, info, warning or error.");
  settings.flag("metrics.for_all", s.metrics_for_all,
                "Let everybody who reaches the web page's ports read /metrics, not only this machine.");
  multicast::declare(settings, s.multicast);
  app::declare(settings, s.peers);
  return settings;
}

Result<BoxSettings, Failure> read_settings(const std::filesystem::path& file) {
  BoxSettings settings;
  if (const auto read = declare(settings).read(file); !read) {
    return read.error();
  }
  if (const auto wrong = proxy::check(settings.multicast.proxy())) {
    return Failure{file.string() + ": " + wrong->text};
  }
  if (const auto wrong = check_together(settings.peers); !wrong.empty()) {
    return Failure{file.string() + ": " + wrong};
  }
  return settings;
}

Result<std::optional<signalling::RendezvousAddress>, Failure> BoxSettings::rendezvous() const {
  if (rendezvous_url.empty()) {
    return std::optional<signalling::RendezvousAddress>();
  }
  const auto parsed = signalling::RendezvousAddress::parse(rendezvous_url, rendezvous_pin);
  if (!parsed) {
    return Failure{
        "rendezvous.url \"" + rendezvous_url + "\" with rendezvous.pin \"" + rendezvous_pin +
        "\" is not understood: url is wss://HOST[:PORT]/v1, pin is 64 hexadecimal digits or \"webpki\""};
  }
  return parsed;
}

}  // namespace hearthcast::app
