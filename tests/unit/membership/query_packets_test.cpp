// Checklist rows 13, 17 and 32: the queries as packets.
#include "tunnelmgr/membership/query_packets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/membership/packets.hpp"

namespace hearthcast::membership {
namespace {

using namespace std::chrono_literals;
using testing::SizeIs;

wire::MembershipQuery query_in(const Buffer& octets) {
  const auto decoded = wire::decode_membership_packet(octets);
  EXPECT_TRUE(decoded);
  return std::get<wire::MembershipQuery>(decoded->message);
}

std::vector<IpAddress> sources(Family family, int count) {
  std::vector<IpAddress> all;
  for (int i = 1; i <= count; ++i) {
    all.push_back(family == Family::kIp4 ? IpAddress::ip4(0xC6120000U + static_cast<unsigned>(i))
                                         : ip("2001:db8::" + std::to_string(i)));
  }
  return all;
}

TEST(QueryPackets, AGeneralQueryGoesToAllHosts) {
  const Buffer mld = general_query({ip("fe80::1"), 2, 1500}, {});
  EXPECT_EQ(wire::decode_membership_packet(mld)->destination, ip("ff02::1"));
  EXPECT_EQ(query_in(mld).max_response, 10s);
  const Buffer igmp = general_query({ip("192.168.1.1"), 2, 1500}, {});
  EXPECT_EQ(wire::decode_membership_packet(igmp)->destination, ip("224.0.0.1"));
  EXPECT_EQ(query_in(igmp).version, 2);
}

TEST(QueryPackets, ASpecificQueryGoesToItsGroupAndIsAnsweredSoon) {
  const auto packets = specific_queries({ip("fe80::1"), 2, 1500}, {}, ip("ff1e::1"), {}, true);
  ASSERT_THAT(packets, SizeIs(1));
  EXPECT_EQ(wire::decode_membership_packet(packets[0])->destination, ip("ff1e::1"));
  const auto query = query_in(packets[0]);
  EXPECT_EQ(query.max_response, 1s);
  EXPECT_TRUE(query.suppress);
  EXPECT_EQ(query.robustness, 2);
}

TEST(QueryPackets, SourcesAreSplitToThePacketSizeOfBothFamilies) {
  for (const auto& [source, group, fit] :
       {std::tuple("fe80::1", "ff1e::1", 89U), {"192.168.1.1", "239.1.1.1", 366U}}) {
    const IpAddress own = ip(source);
    const auto all = sources(own.family(), static_cast<int>(fit) * 2 + 1);
    const int version = own.is_ip4() ? 3 : 2;
    const auto packets = specific_queries({own, version, 1500}, {}, ip(group), all, false);
    ASSERT_THAT(packets, SizeIs(3)) << source;
    std::vector<IpAddress> seen;
    for (const Buffer& octets : packets) {
      EXPECT_LE(octets.size(), 1500U);
      const auto query = query_in(octets);
      seen.insert(seen.end(), query.sources.begin(), query.sources.end());
    }
    EXPECT_EQ(query_in(packets[0]).sources.size(), fit);
    EXPECT_EQ(seen, all) << "each once, in order";
  }
}

TEST(QueryPackets, APacketSizeTooSmallForAnySourceStillAsks) {
  const auto packets =
      specific_queries({ip("fe80::1"), 2, 10}, {}, ip("ff1e::1"), sources(Family::kIp6, 2), false);
  EXPECT_THAT(packets, SizeIs(2));
}

}  // namespace
}  // namespace hearthcast::membership
