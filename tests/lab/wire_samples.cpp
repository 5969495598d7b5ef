// Prints packets as they travel inside a tunnel, one a line: a name and the octets in hexadecimal. A program
// that is not ours then says what it sees in them (test_wire.py).
#include <cstdio>
#include <string_view>

#include "tunnelmgr/tunnel/control_packet.hpp"
#include "tunnelmgr/tunnel/flow_framing.hpp"
#include "tunnelmgr/wire/membership_packet.hpp"

namespace {

using namespace hearthcast;
using namespace std::chrono_literals;

void print(std::string_view name, Bytes octets) {
  std::printf("%.*s ", static_cast<int>(name.size()), name.data());
  for (const std::uint8_t octet : octets) {
    std::printf("%02x", octet);
  }
  std::printf("\n");
}

IpAddress address(std::string_view text) { return *IpAddress::parse(text); }

// Three datagrams of one flow, as the box frames them.
bool print_media(std::string_view name, std::string_view source, std::string_view group) {
  tunnel::FlowFramer framer{FlowId{0x01020304}, {address(group), 5000}};
  for (std::uint8_t number = 0; number < 3; ++number) {
    Buffer slot(tunnel::kFrameHeadroom + 1316, number);
    const auto packet =
        framer.frame(slot, {.source = {address(source), 40000}, .hop_limit = 16, .traffic_class = 0x88});
    if (!packet) {
      return false;
    }
    print(name, *packet);
  }
  return true;
}

void print_membership(std::string_view name, std::string_view source, const IpAddress& destination,
                      const wire::MembershipMessage& message) {
  print(name,
        tunnel::encode_membership(wire::encode_membership_packet({address(source), destination, message})));
}

void print_all_membership() {
  using wire::RecordType;
  const IpAddress group6 = address("ff3e::8000:1");
  const IpAddress source6 = address("2001:db8:64::10");
  const wire::MembershipReport joins6{{{RecordType::kChangeToInclude, group6, {source6}},
                                       {RecordType::kChangeToExclude, address("ff1e::8000:4"), {}}}};
  print_membership("mld-report", "fe80::1:2", wire::kAllMld2Routers, joins6);
  const wire::MembershipReport joins4{
      {{RecordType::kAllowNewSources, address("232.10.10.3"), {address("10.64.0.10")}}}};
  print_membership("igmp-report", "0.0.0.0", wire::kAllIgmp3Routers, joins4);
  print_membership("mld-query", "fe80::1", wire::kAllNodes6,
                   wire::MembershipQuery{.version = 2,
                                         .max_response = 1000ms,
                                         .group = IpAddress::any(Family::kIp6),
                                         .robustness = 2,
                                         .query_interval = 10s});
  print_membership("igmp-query", "10.0.0.1", wire::kAllHosts4,
                   wire::MembershipQuery{.version = 3,
                                         .max_response = 1000ms,
                                         .group = IpAddress::any(Family::kIp4),
                                         .robustness = 2,
                                         .query_interval = 10s});
}

}  // namespace

int main() {
  if (!print_media("media6", "2001:db8:64::10", "ff3e::8000:1")) {
    return 1;
  }
  if (!print_media("media4", "10.64.0.10", "239.10.10.2")) {
    return 1;
  }
  print_all_membership();
  print("control", tunnel::encode(tunnel::Acknowledgement{.message_id = 7, .index = 1}));
  return 0;
}
