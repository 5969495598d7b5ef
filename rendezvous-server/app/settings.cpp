#include "rendezvous-server/app/settings.hpp"

#include <algorithm>

#include "tunnelmgr/linux/secret_file.hpp"
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

constexpr std::pair<const char*, Enrolment> kEnrolments[] = {
    {"open", Enrolment::kOpen}, {"token", Enrolment::kToken}, {"closed", Enrolment::kClosed}};

std::optional<std::function<void()>> parse_enrolment(const std::string& text, Enrolment& variable) {
  for (const auto& [name, policy] : kEnrolments) {
    if (text == name) {
      return [&variable, chosen = policy] { variable = chosen; };
    }
  }
  return std::nullopt;
}

// Empty: none.
std::optional<std::function<void()>> parse_endpoint(const std::string& text,
                                                    std::optional<Endpoint>& variable) {
  const auto at = Endpoint::parse(text);
  if (!at && !text.empty()) {
    return std::nullopt;
  }
  return [&variable, at] { variable = at; };
}

void declare_limits(runtime::Settings& keys, AppSettings& s) {
  const auto limit = [&](const char* name, std::uint32_t& variable, std::int64_t most, const char* meaning) {
    keys.number(std::string("limits.") + name, variable, 1, most, meaning);
  };
  limit("connections", s.connections, 1000000, "Connections at a time.");
  limit("connections_per_source", s.connections_per_source, 1000000,
        "Of them from one IPv4 address or IPv6 /56, which is what a source is below, too.");
  limit("connects_per_minute", s.connects_per_minute, 1000000, "New connections from one source.");
  limit("hellos_per_minute", s.hellos_per_minute, 1000000, "Of them, those that speak further than TLS.");
  limit("hello_timeout_s", s.hello_timeout_s, 300, "Seconds in which a client has to prove its key.");
  limit("boxes", s.max_boxes, 10000000, "Boxes that are enrolled.");
  limit("new_boxes_per_hour", s.new_boxes_per_hour, 1000000,
        "Boxes from one source that enrol, or try a token.");
  limit("introductions_per_minute", s.introductions_per_minute, 1000000, "That one device asks for.");
  limit("box_load_per_minute", s.box_load_per_minute, 1000000,
        "Introductions and pairings that one box is asked.");
  limit("pairings_per_minute", s.pairings_per_minute, 1000000, "Tries to pair from one source.");
  limit("messages_per_minute", s.messages_per_minute, 1000000, "Of one session.");
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
  keys.parsed(
      "enrolment.policy", "open", "\"open\", \"token\" or \"closed\"",
      "Which boxes may come that were never here: all; those with a token that `hearthcast-rendezvous "
      "token add` made; none.",
      [&s](const std::string& text) { return parse_enrolment(text, s.enrolment); });
  keys.text("enrolment.contact", s.enrolment_contact,
            "How to reach you, told to boxes that are refused, as \"mail ops@example.org\". Empty: nothing.");
  keys.parsed("health.listen", "", "an address and port in quotes, as \"127.0.0.1:8873\", or nothing",
              "Where /metrics, /healthz and /readyz are told over HTTP to whoever asks. Empty: nowhere.",
              [&s](const std::string& text) { return parse_endpoint(text, s.health); });
  declare_limits(keys, s);
  keys.parsed_list("turn.urls", s.turn_urls, "at most eight of turn:HOST[:PORT][?transport=tcp] or turns:...",
                   "TURN relays (coturn) that clients may use where no direct path is. None: without relays.",
                   [&s](const std::vector<std::string>& texts) { return parse_urls(texts, s.turn_urls); });
  keys.path("turn.secret_file", s.turn_secret_file,
            "File whose first line is coturn's static-auth-secret. Readable by root alone.");
  keys.number("turn.lifetime_h", s.turn_lifetime_h, 25, 720,
              "Hours that a client's credentials for the relays are good for.");
  keys.parsed(
      "turn.behind", "", "an address and port in quotes, as \"127.0.0.1:5349\", or nothing",
      "Where coturn listens for TLS on this machine: who connects to `listen.wss` and asks for a relay "
      "is led there, so that one address has both on one port. Empty: nobody is.",
      [&s](const std::string& text) { return parse_endpoint(text, s.turn_behind); });
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
  hub.health = s.health;
  hub.relay = s.turn_behind;
  constexpr std::chrono::minutes kMinute{1};
  hub.connects = {static_cast<double>(s.connects_per_minute), kMinute};
  hub.policy.hello_timeout = std::chrono::seconds{s.hello_timeout_s};
  hub.policy.hellos = {static_cast<double>(s.hellos_per_minute), kMinute};
  hub.policy.new_boxes = {static_cast<double>(s.new_boxes_per_hour), std::chrono::hours{1}};
  hub.policy.introductions = {static_cast<double>(s.introductions_per_minute), kMinute};
  hub.policy.box_load = {static_cast<double>(s.box_load_per_minute), kMinute};
  hub.policy.pairings = {static_cast<double>(s.pairings_per_minute), kMinute};
  hub.policy.messages = {static_cast<double>(s.messages_per_minute), kMinute};
  hub.policy.enrolment = s.enrolment;
  hub.policy.contact = s.enrolment_contact;
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
  auto secret = linux::read_secret_file(s.turn_secret_file);
  if (secret && secret->size() < kLeastSecret) {
    return Failure{"the secret in " + s.turn_secret_file.string() +
                   " is too short: make one with `openssl rand -hex 32`"};
  }
  return secret;
}

}  // namespace hearthcast::rendezvous
