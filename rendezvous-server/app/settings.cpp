#include "rendezvous-server/app/settings.hpp"

#include <algorithm>
#include <fstream>

#include "tunnelmgr/signalling/relay_url.hpp"

namespace hearthcast::rendezvous {
namespace {

constexpr std::size_t kLeastSecret = 16;  // characters

std::optional<std::function<void()>> parse_urls(const std::vector<std::string>& texts,
                                                std::vector<std::string>& variable) {
  const bool fine =
      texts.size() <= signalling::kMaxRelayUrls && std::ranges::all_of(texts, [](const std::string& text) {
        return signalling::parse_relay_url(text).has_value();
      });
  return fine ? std::optional<std::function<void()>>([&variable, texts] { variable = texts; }) : std::nullopt;
}

}  // namespace

runtime::Settings declare(AppSettings& s) {
  runtime::Settings keys;
  keys.path("state_dir", s.state_dir, "Where the server's key and its database are kept.");
  keys.path("control_socket", s.control_socket, "The socket that `hearthcast-rendezvous status` talks to.");
  keys.text("run_as", s.run_as, "User to become when started as root; empty: stay what one is.");
  keys.endpoint("listen.wss", s.wss,
                "Where boxes and devices connect (TCP, TLS). `[::]` means every address.");
  keys.number("listen.udp_port", s.udp_port, 0, 65535,
              "UDP port on the same address, where they learn their mapping. 0 picks one.");
  keys.path("tls.certificate", s.certificate,
            "PEM file with a certificate chain. Empty: the server's own key, which clients pin.");
  keys.path("tls.key", s.key, "PEM file with the key of that certificate.");
  keys.number("limits.connections", s.connections, 1, 1000000, "Connections at a time.");
  keys.number("limits.connections_per_source", s.connections_per_source, 1, 1000000,
              "Of them from one IPv4 address or IPv6 /56.");
  keys.number("limits.boxes", s.max_boxes, 1, 10000000, "Boxes whose list of devices is kept.");
  keys.parsed_list("turn.urls", s.turn_urls, "at most eight of turn:HOST[:PORT][?transport=tcp] or turns:...",
                   "TURN relays (coturn) that clients may use where no direct path is. None: without relays.",
                   [&s](const std::vector<std::string>& texts) { return parse_urls(texts, s.turn_urls); });
  keys.path("turn.secret_file", s.turn_secret_file,
            "File whose first line is coturn's static-auth-secret. Readable by root alone.");
  keys.number("turn.lifetime_h", s.turn_lifetime_h, 25, 720,
              "Hours that a client's credentials for the relays are good for.");
  keys.level("log.level", s.log_level, "The least level that is logged.");
  return keys;
}

HubSettings hub_settings(const AppSettings& s) {
  HubSettings hub;
  hub.listen = s.wss;
  hub.presence = {s.wss.address, s.udp_port};
  hub.database = s.state_dir / "rendezvous.db";
  hub.control_socket = s.control_socket.string();
  hub.connections = s.connections;
  hub.connections_per_source = s.connections_per_source;
  hub.policy.max_boxes = s.max_boxes;
  hub.policy.relay.urls = s.turn_urls;
  hub.policy.relay.lifetime = std::chrono::hours(s.turn_lifetime_h);
  return hub;
}

// What is read is put in place: a Failure can be made of a text as well, so the text alone would be
// ambiguous.
Result<std::string, Failure> read_turn_secret(const AppSettings& s) {
  using Secret = Result<std::string, Failure>;
  if (s.turn_urls.empty()) {
    return Secret{boost::system::in_place_value};
  }
  if (s.turn_secret_file.empty()) {
    return Failure{"turn.urls names relays: set turn.secret_file to the file with their static-auth-secret"};
  }
  std::error_code error;
  const auto permissions = std::filesystem::status(s.turn_secret_file, error).permissions();
  std::ifstream file(s.turn_secret_file);
  std::string secret;
  if (error || !std::getline(file, secret)) {
    return Failure{"cannot read the relays' secret from " + s.turn_secret_file.string()};
  }
  if ((permissions & std::filesystem::perms::others_all) != std::filesystem::perms::none) {
    return Failure{s.turn_secret_file.string() + " is open to everybody: chmod 640 it, or less"};
  }
  if (secret.size() < kLeastSecret) {
    return Failure{"the secret in " + s.turn_secret_file.string() +
                   " is too short: make one with `openssl rand -hex 32`"};
  }
  return Secret{boost::system::in_place_value, secret};
}

}  // namespace hearthcast::rendezvous
