// What one end of a cable hears of the other, and what comes out there.
#include "tunnelmgr/linux/link_socket.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/unit/linux/test_links.hpp"
#include "tunnelmgr/linux/interfaces.hpp"
#include "tunnelmgr/linux/multicast_socket.hpp"
#include "tunnelmgr/wire/icmp6.hpp"
#include "tunnelmgr/wire/ip4.hpp"
#include "tunnelmgr/wire/ip6.hpp"
#include "tunnelmgr/wire/membership_packet.hpp"
#include "tunnelmgr/wire/mld.hpp"

namespace hearthcast::linux {
namespace {

using namespace std::chrono_literals;
using wire::MembershipPacket;

const MembershipPacket kQuery6{
    address("fe80::1"), wire::kAllNodes6,
    wire::MembershipQuery{
        .max_response = 10s, .group = address("::"), .robustness = 2, .query_interval = 125s}};
const MembershipPacket kQuery4{
    address("192.0.2.1"), wire::kAllHosts4,
    wire::MembershipQuery{
        .version = 3, .max_response = 10s, .group = IpAddress(), .robustness = 2, .query_interval = 125s}};
// struct virtio_net_hdr: its header is none for C++.
struct VirtioHeader {
  std::uint8_t flags = 0;
  std::uint8_t gso_type = 0;
  std::uint16_t header_size = 0;
  std::uint16_t gso_size = 0;
  std::uint16_t checksum_start = 0;
  std::uint16_t checksum_offset = 0;
};
constexpr std::uint8_t kNeedsChecksum = 1;

const MembershipPacket kReport6{
    address("fe80::2"), wire::kAllMld2Routers,
    wire::MembershipReport{{{wire::RecordType::kChangeToExclude, address("ff3e::1"), {}}}}};
const MembershipPacket kReport4{
    address("192.0.2.2"), wire::kAllIgmp3Routers,
    wire::MembershipReport{{{wire::RecordType::kChangeToExclude, address("239.1.1.1"), {}}}}};

Buffer octets(const MembershipPacket& packet) { return wire::encode_membership_packet(packet); }

Buffer mld(const wire::MembershipMessage& message, bool router_alert, std::uint8_t type = 0) {
  const auto body = wire::encode_mld(message);
  const IpAddress source = address("fe80::2");
  const IpAddress group = address("ff3e::1");
  return wire::encode_ip6({.next_header = wire::kProtocolIcmp6,
                           .hop_limit = 1,
                           .source = source,
                           .destination = group,
                           .router_alert = router_alert},
                          wire::encode_icmp6({type == 0 ? body.type : type, 0, body.body}, source, group));
}

// The kernel's own words on the link (it reports groups of its own) are passed over.
Buffer next_but_kernels(LinkSocket& socket) {
  for (;;) {
    Buffer packet = next_packet(socket);
    const auto decoded = wire::decode_membership_packet(packet);
    const auto* report = decoded ? std::get_if<wire::MembershipReport>(&decoded->message) : nullptr;
    if (report == nullptr || !report->records.front().group.is_link_scope_multicast()) {
      return packet;
    }
  }
}

TEST(LinkSocket, HearsMldAndIgmpWholeAndNothingElse) {
  in_links([] {
    add_cable("near", "far");
    LinkSocket near = open_link("near");
    LinkSocket far = open_link("far");
    const Buffer done = mld(wire::OldLeave{address("ff3e::1")}, true);
    const Buffer old_report = mld(wire::OldReport{1, address("ff3e::1")}, true);
    const Buffer without_alert = mld(wire::OldReport{1, address("ff3e::1")}, false);
    Buffer longer_header = octets(kReport6);  // the hop-by-hop header padded to 16 octets
    longer_header.insert(longer_header.begin() + 48, {1, 6, 0, 0, 0, 0, 0, 0});
    longer_header[41] = 1;
    longer_header[5] = static_cast<std::uint8_t>(longer_header[5] + 8);
    for (const Buffer& other : {channel_packet({address("2001:db8::1"), address("ff3e::1")}, "a channel"),
                                channel_packet({address("192.0.2.1"), address("239.1.1.1")}, "a channel"),
                                mld(wire::OldReport{1, address("ff3e::1")}, false, 128),
                                mld(wire::OldReport{1, address("ff3e::1")}, true, 134),
                                mld(wire::OldReport{1, address("ff3e::1")}, true, 129)}) {
      ASSERT_TRUE(far.send(other));
    }
    for (const Buffer& packet : {octets(kReport6), octets(kReport4), octets(kQuery6), octets(kQuery4), done,
                                 old_report, without_alert, longer_header}) {
      ASSERT_TRUE(far.send(packet));
      EXPECT_EQ(next_but_kernels(near), packet);
    }
  });
}

// Row 13: what really goes out, seen by another socket at the other end of the cable.
TEST(LinkSocket, SendsToTheGroupsLinkAddressWithNothingChanged) {
  in_links([] {
    add_cable("near", "far");
    LinkSocket near = open_link("near");
    const Capture far("far");
    const auto mac = list_interfaces().value()[1];
    ASSERT_EQ(mac.name, "far");
    const auto all = list_interfaces().value();
    const auto self = std::ranges::find(all, "near", &Interface::name)->mac.value();
    struct Case {
      Buffer packet;
      Buffer to;
    };
    for (const Case& c :
         {Case{octets(kQuery6), from_hex("333300000001").value()},
          Case{octets(kQuery4), from_hex("01005e000001").value()},
          Case{octets(kReport6), from_hex("333300000016").value()},
          Case{octets(kReport4), from_hex("01005e000016").value()},
          Case{mld(wire::OldLeave{address("ff3e::1")}, true), from_hex("333300000001").value()}}) {
      ASSERT_TRUE(near.send(c.packet));
      const Buffer frame = far.next(
          [&](Bytes f) { return f.size() > kEthernetHeader && equal(f.subspan(kEthernetHeader), c.packet); });
      ASSERT_FALSE(frame.empty());
      EXPECT_EQ(to_hex(Bytes(frame).first(6)), to_hex(c.to));
      EXPECT_EQ(to_hex(Bytes(frame).subspan(6, 6)), to_hex(self));
      EXPECT_EQ(to_hex(Bytes(frame).subspan(12, 2)), c.packet[0] >> 4 == 6 ? "86dd" : "0800");
    }
    const Buffer query = octets(kQuery4);
    EXPECT_EQ(query[1], 0xC0);
    EXPECT_EQ(query[8], 1);
    EXPECT_FALSE(near.send(channel_packet({address("192.0.2.1"), address("192.0.2.2")}, "no group")));
    EXPECT_FALSE(near.send({}));
  });
}

TEST(LinkSocket, HearsNotItself) {
  in_links([] {
    add_cable("near", "far");
    LinkSocket near = open_link("near");
    LinkSocket far = open_link("far");
    ASSERT_TRUE(near.send(octets(kQuery6)));
    ASSERT_TRUE(far.send(octets(kReport4)));
    EXPECT_EQ(next_but_kernels(near), octets(kReport4));
    EXPECT_EQ(next_but_kernels(far), octets(kQuery6));
  });
}

TEST(LinkSocket, HearsNoOtherVlan) {
  in_links([] {
    add_cable("near", "far");
    LinkSocket near = open_link("near");
    LinkSocket far = open_link("far");
    Buffer tagged = from_hex("3333000000160200000000028100000586dd").value();
    const Buffer report = octets(kReport6);
    tagged.insert(tagged.end(), report.begin(), report.end());
    Capture("far").send(tagged);
    ASSERT_TRUE(far.send(octets(kReport4)));
    EXPECT_EQ(next_but_kernels(near), octets(kReport4));
  });
}

TEST(LinkSocket, HearsABridgeThroughItsPorts) {
  in_links([] {
    add_cable("port", "host");
    run_ip("link add home up type bridge");
    run_ip("link set port master home");
    LinkSocket bridge = open_link("home");
    LinkSocket host = open_link("host");
    ASSERT_TRUE(eventually([&] {  // the bridge learns first that its port is there
      EXPECT_TRUE(host.send(octets(kReport6)));
      const auto packet = bridge.receive();
      return packet && equal(*packet, octets(kReport6));
    }));
    ASSERT_TRUE(bridge.send(octets(kQuery6)));
    EXPECT_EQ(next_but_kernels(host), octets(kQuery6));
  });
}

// Kernels report by themselves; what we hear of them decodes.
TEST(LinkSocket, HearsWhatAKernelReports) {
  in_links([] {
    add_cable("near", "far");
    run_ip("address add 192.0.2.2/24 dev far");
    LinkSocket near = open_link("near");
    for (const char* group : {"239.7.7.7", "ff3e::7777"}) {
      const auto joined = MulticastSocket::join({.flow = {std::nullopt, address(group), 5500},
                                                 .interface_index = index_of("far"),
                                                 .receive_buffer = 4096});
      ASSERT_TRUE(joined) << joined.error().text;
      EXPECT_TRUE(eventually([&] {
        const auto packet = near.receive();
        const auto decoded =
            packet ? wire::decode_membership_packet(*packet)
                   : Result<MembershipPacket, wire::MembershipError>(wire::MembershipError::kMalformed);
        const auto* report = decoded ? std::get_if<wire::MembershipReport>(&decoded->message) : nullptr;
        return report != nullptr &&
               std::ranges::any_of(report->records, [&](const wire::GroupRecord& record) {
                 return record.group == address(group) && record.type == wire::RecordType::kChangeToExclude;
               });
      })) << group;
    }
  });
}

// The count of those who ask the link for all multicast.
int askers_for_all(const std::string& link) {
  const std::string text = output_of("ip -d link show dev " + link);
  const auto at = text.find("allmulti ");
  EXPECT_NE(at, std::string::npos) << text;
  return at == std::string::npos ? -1 : std::stoi(text.substr(at + 9));
}

TEST(LinkSocket, AsksTheLinkForAllMulticastUntilItIsToldNotTo) {
  in_links([] {
    add_cable("near", "far");
    LinkSocket far = open_link("far");
    EXPECT_EQ(askers_for_all("near"), 0);
    LinkSocket near = open_link("near");
    EXPECT_EQ(askers_for_all("near"), 1);
    LinkSocket other = open_link("near");
    near.hear_own_groups_only();
    near.hear_own_groups_only();
    EXPECT_EQ(askers_for_all("near"), 1) << "the other still does";
    other.hear_own_groups_only();
    EXPECT_EQ(askers_for_all("near"), 0);
    for (const MembershipPacket& query : {kQuery4, kQuery6}) {  // to all hosts, so to this one
      ASSERT_TRUE(far.send(octets(query)));
      EXPECT_EQ(next_but_kernels(near), octets(query));
    }
    ASSERT_TRUE(near.send(octets(kReport6)));
    EXPECT_EQ(next_but_kernels(far), octets(kReport6));
  });
}

TEST(LinkSocket, GoesOnAfterTheLinkWasDownAndKnowsWhenItIsGone) {
  in_links([] {
    add_cable("near", "far");
    LinkSocket near = open_link("near");
    run_ip("link set near down");
    EXPECT_FALSE(near.send(octets(kQuery6)));
    while (near.receive()) {  // what the kernel had said before
    }
    EXPECT_FALSE(near.gone());
    run_ip("link set near up");
    LinkSocket far = open_link("far");
    const Buffer report = octets(kReport4);
    EXPECT_TRUE(eventually([&] {  // the carrier comes a moment after the link
      (void)far.send(report);
      while (const auto heard = near.receive()) {
        if (std::ranges::equal(*heard, report)) {
          return true;
        }
      }
      return false;
    }));
    EXPECT_TRUE(near.send(octets(kQuery6)));
    run_ip("link del near");
    EXPECT_TRUE(near.gone());
    while (near.receive()) {
    }
    EXPECT_FALSE(near.send(octets(kQuery6)));
    NetdClient netd;
    const auto none = LinkSocket::open(999'999, netd);
    ASSERT_FALSE(none);
    EXPECT_THAT(none.error().text, testing::HasSubstr("interface 999999"));
    EXPECT_FALSE(LinkSocket::open(0, netd));
  });
}

TEST(LinkSocket, WorksOnALinkWithoutAddresses) {
  in_links([] {
    const TestTun tun("tun0", IFF_TUN | IFF_NO_PI);
    LinkSocket socket = open_link("tun0");
    for (const MembershipPacket& report : {kReport6, kReport4}) {
      tun.write(octets(report));
      EXPECT_EQ(next_but_kernels(socket), octets(report));
    }
    for (const MembershipPacket& query : {kQuery6, kQuery4}) {
      ASSERT_TRUE(socket.send(octets(query)));
      EXPECT_EQ(tun.next([&](Bytes packet) { return equal(packet, octets(query)); }), octets(query));
    }
  });
}

// A virtual machine may leave checksums to a network card that is none (CSUMNOTREADY).
TEST(LinkSocket, CompletesAChecksumThatWasLeftToOffload) {
  in_links([] {
    const TestTun tap("tap0", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
    LinkSocket socket = open_link("tap0");
    const Buffer whole = octets(kReport6);
    Buffer frame(sizeof(VirtioHeader));
    VirtioHeader offload;
    offload.flags = kNeedsChecksum;
    offload.checksum_start = kEthernetHeader + 48;  // behind IPv6 and hop-by-hop header
    offload.checksum_offset = 2;
    std::memcpy(frame.data(), &offload, sizeof offload);
    const Buffer ethernet = from_hex("33330000001602000000000286dd").value();
    frame.insert(frame.end(), ethernet.begin(), ethernet.end());
    frame.insert(frame.end(), whole.begin(), whole.end());
    frame[sizeof offload + kEthernetHeader + 50] ^= 0x55;  // what is there is of no worth
    tap.write(frame);
    EXPECT_EQ(next_but_kernels(socket), whole);
  });
}

TEST(LinkSocket, CountsWhatNobodyReadInTime) {
  in_links([] {
    add_cable("near", "far");
    LinkSocket near = open_link("near");
    LinkSocket far = open_link("far");
    EXPECT_EQ(near.overflow(), 0U);
    constexpr std::uint64_t kStorm = 20'000;
    for (std::uint64_t i = 0; i < kStorm; ++i) {
      ASSERT_TRUE(far.send(octets(kReport6)));
    }
    std::uint64_t heard = 0;
    while (const auto packet = near.receive()) {
      heard += equal(*packet, octets(kReport6)) ? 1 : 0;
    }
    EXPECT_GT(heard, 5'000U) << "half a second of a storm of 10,000 a second has room";
    EXPECT_GT(near.overflow(), 0U);
    EXPECT_GE(heard + near.overflow(), kStorm);
    EXPECT_LE(heard + near.overflow(), kStorm + 100) << "but for what the kernel says itself";
  });
}

}  // namespace
}  // namespace hearthcast::linux
