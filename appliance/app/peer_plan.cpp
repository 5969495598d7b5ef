// From a peer's settings, as written, to what they mean.
#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include "appliance/app/peer_settings.hpp"
#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/linux/secret_file.hpp"
#include "tunnelmgr/wire/derived_address.hpp"
#include "tunnelmgr/wire/inner_ip.hpp"

namespace hearthcast::app {
namespace {

using tunnel::Carrier;
using tunnel::Form;

struct Kind {
  const char* name;
  Form form;
  Carrier carrier;
  std::uint16_t port;
  wire::AyiyaHash hash = wire::AyiyaHash::kNone;
};
constexpr std::array kKinds = {
    Kind{"gre", Form::kGre, Carrier::kIp, 0},
    Kind{"gre-udp", Form::kGre, Carrier::kUdp, 4754},
    Kind{"gre-gue", Form::kGre, Carrier::kGue, 6080},
    Kind{"6in4", Form::kSixInFour, Carrier::kIp, 0},
    Kind{"6in4-udp", Form::kSixInFour, Carrier::kUdp, 3653},
    Kind{"6in4-gue", Form::kSixInFour, Carrier::kGue, 6080},
    Kind{"ayiya", Form::kAyiya, Carrier::kUdp, 5072, wire::AyiyaHash::kHmacSha256},
    Kind{"ayiya-sha1", Form::kAyiya, Carrier::kUdp, 5072, wire::AyiyaHash::kSha1},
};

constexpr std::size_t kMaxName = 64;
constexpr std::size_t kHardenedSecret = 32;
constexpr std::chrono::seconds kDeployedWindow{120};

template <class T>
std::optional<T> parse_number(std::string_view text) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

std::optional<Endpoint> at_port_zero(const std::optional<IpAddress>& address) {
  return address ? std::optional(Endpoint{*address, 0}) : std::nullopt;
}

// "2001:db8::/32,10.0.0.0/8,2001:db8:102:300::1"
std::optional<IpAddress> sixrd_endpoint(std::string_view text) {
  const std::size_t first = text.find(',');
  const std::size_t second = text.find(',', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) {
    return std::nullopt;
  }
  const auto prefix = Prefix::parse(text.substr(0, first));
  const auto network = Prefix::parse(text.substr(first + 1, second - first - 1));
  const auto address = IpAddress::parse(text.substr(second + 1));
  if (!prefix || !network || !network->address.is_ip4() || !address) {
    return std::nullopt;
  }
  const wire::SixRd domain{
      .prefix = *prefix, .ip4_mask_length = network->length, .ip4_network = network->address, .relays = {}};
  return domain.endpoint(*address);
}

std::optional<access::Grants> parse_grants(const std::vector<std::string>& channels) {
  access::Grants grants;
  for (const std::string& text : channels) {
    const auto number = parse_number<std::int64_t>(text);
    if (text == "all") {
      grants.all = true;
    } else if (number && *number > 0) {
      grants.channels.insert(ChannelId{*number});
    } else {
      return std::nullopt;
    }
  }
  return grants;
}

// Nothing is wrong: nullopt.
std::optional<std::string> wrong_extras(const PeerSettings& peer, const Kind& kind) {
  if (kind.form != Form::kGre && (peer.key || peer.sequence || peer.checksum)) {
    return "key, sequence and checksum belong to GRE";
  }
  if (peer.heartbeat && (kind.form != Form::kSixInFour || kind.carrier != Carrier::kIp)) {
    return "heartbeat belongs to encapsulation \"6in4\"";
  }
  if (kind.carrier == Carrier::kIp && peer.port != 0) {
    return "port belongs to encapsulations over UDP";
  }
  const bool signs = kind.form == Form::kAyiya || peer.heartbeat;
  if (signs == peer.secret_file.empty()) {
    return signs ? "it needs secret_file" : "secret_file belongs to AYIYA and to heartbeats";
  }
  if (!signs && peer.endpoint.empty()) {
    return "it needs an endpoint: only AYIYA and heartbeats can tell where a peer is";
  }
  return std::nullopt;
}

std::optional<std::string> take_endpoint(const PeerSettings& peer, const Kind& kind, PeerPlan& made) {
  if (peer.endpoint.empty()) {
    return std::nullopt;
  }
  auto endpoint = parse_peer_endpoint(peer.endpoint);
  if (!endpoint) {
    return "endpoint \"" + peer.endpoint + "\" is not understood, or leads nowhere";
  }
  const bool over_ip = kind.carrier == Carrier::kIp;
  if (over_ip && endpoint->port != 0) {
    return "endpoint has a port, which " + peer.encapsulation + " has not";
  }
  if (kind.form == Form::kSixInFour && over_ip && !endpoint->address.is_ip4()) {
    return "6in4 needs an IPv4 endpoint";
  }
  if (endpoint->address.is_multicast() || endpoint->address.is_unspecified()) {
    return "endpoint has to be the address of one machine";
  }
  if (!over_ip && endpoint->port == 0) {
    endpoint->port = kind.port;
  }
  made.machine.endpoint = endpoint;
  return std::nullopt;
}

std::optional<std::string> take_inner_addresses(const PeerSettings& peer, const Kind& kind, PeerPlan& made) {
  const auto local = IpAddress::parse(peer.local_address);
  const auto remote = IpAddress::parse(peer.peer_address);
  if (peer.heartbeat || kind.form == Form::kAyiya) {
    if (!remote || !remote->is_ip6()) {
      return "peer_address has to be an IPv6 address";
    }
  }
  if (peer.heartbeat) {
    made.machine.heartbeat = tunnel::HeartbeatSettings{*remote, ""};
  }
  if (kind.form != Form::kAyiya) {
    return std::nullopt;
  }
  if (!local || !local->is_ip6()) {
    return "local_address has to be an IPv6 address";
  }
  if (equal(local->bytes().last(8), remote->bytes().last(8))) {
    return "local_address and peer_address have to differ in their last 64 bits";
  }
  auto& ayiya = made.machine.encapsulation.ayiya;
  ayiya.hash = kind.hash;
  ayiya.local = *local;
  ayiya.remote = *remote;
  if (kind.hash == wire::AyiyaHash::kSha1) {
    ayiya.window = kDeployedWindow;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Endpoint> parse_peer_endpoint(const std::string& text) {
  constexpr std::string_view kSixToFour = "6to4:";
  constexpr std::string_view kSixRd = "6rd:";
  if (text.starts_with(kSixToFour)) {
    const auto address = IpAddress::parse(text.substr(kSixToFour.size()));
    return address ? at_port_zero(wire::sixtofour_endpoint(*address)) : std::nullopt;
  }
  if (text.starts_with(kSixRd)) {
    return at_port_zero(sixrd_endpoint(std::string_view(text).substr(kSixRd.size())));
  }
  const auto endpoint = Endpoint::parse(text);
  return endpoint && endpoint->port != 0 ? endpoint : at_port_zero(IpAddress::parse(text));
}

Result<PeerPlan, Failure> plan(const PeerSettings& peer) {
  const auto fail = [&](const std::string& what) { return Failure{"peer \"" + peer.name + "\": " + what}; };
  if (peer.name.empty() || peer.name.size() > kMaxName) {
    return Failure{"a peer needs a name of 1 to 64 characters"};
  }
  const auto kind =
      std::ranges::find_if(kKinds, [&](const Kind& each) { return each.name == peer.encapsulation; });
  if (kind == kKinds.end()) {
    return fail("encapsulation \"" + peer.encapsulation + "\" is not known");
  }
  if (peer.seal != "none") {
    return fail(
        "write seal = \"none\" if everybody on the way may see what it watches; a sealed tunnel is what "
        "hearthcast-away makes, and needs no peer here");
  }
  PeerPlan made;
  made.machine.name = peer.name;
  made.machine.encapsulation.form = kind->form;
  made.machine.encapsulation.carrier = kind->carrier;
  made.machine.encapsulation.gre = {.key = peer.key, .sequence = peer.sequence, .checksum = peer.checksum};
  const auto grants = parse_grants(peer.channels);
  if (!grants) {
    return fail("channels holds \"all\", or numbers in quotes");
  }
  made.grants = *grants;
  for (const auto& wrong : {wrong_extras(peer, *kind), take_endpoint(peer, *kind, made),
                            take_inner_addresses(peer, *kind, made)}) {
    if (wrong) {
      return fail(*wrong);
    }
  }
  if (kind->carrier == Carrier::kIp) {
    made.port.ip_protocol = kind->form == Form::kGre ? wire::kProtocolGre : wire::kProtocolIp6;
    made.port.family = made.machine.endpoint ? made.machine.endpoint->address.family() : Family::kIp4;
  } else {
    made.port.udp = peer.port != 0 ? peer.port : kind->port;
  }
  return made;
}

Result<void, Failure> read_secret(PeerPlan& made, const std::filesystem::path& file) {
  const auto line = linux::read_secret_file(file);
  if (!line) {
    return Failure{"peer \"" + made.machine.name + "\": " + line.error().text};
  }
  auto& ayiya = made.machine.encapsulation.ayiya;
  if (made.machine.heartbeat) {
    made.machine.heartbeat->password = *line;
  } else if (ayiya.hash == wire::AyiyaHash::kHmacSha256) {
    const auto secret = from_hex(*line);
    if (!secret || secret->size() != kHardenedSecret) {
      return Failure{file.string() + " has to hold 64 hexadecimal digits: openssl rand -hex 32"};
    }
    ayiya.secret = *secret;
  } else {
    ayiya.secret.assign(line->begin(), line->end());
  }
  return boost::system::in_place_value;
}

}  // namespace hearthcast::app
