#include "tunnelmgr/linux/route_upcall.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <bit>
// After netinet/in.h, which they have to agree with.
#include <linux/mroute.h>
#include <linux/mroute6.h>

#include <cstring>

#include "tunnelmgr/base/text.hpp"

namespace hearthcast::linux {
namespace {

const IpAddress kSource4 = *IpAddress::parse("192.0.2.1");
const IpAddress kGroup4 = *IpAddress::parse("232.1.1.1");
const IpAddress kSource6 = *IpAddress::parse("2001:db8::1");
const IpAddress kGroup6 = *IpAddress::parse("ff3e::1");

// As the kernel's own structs lay it out.
Buffer upcall4(std::uint8_t type, unsigned place, const IpAddress& source = kSource4,
               const IpAddress& group = kGroup4) {
  igmpmsg message{};
  message.unused1 = 0x45;  // rests of the packet's header
  message.unused2 = 0xFFFFFFFF;
  message.im_msgtype = type;
  message.im_vif = static_cast<unsigned char>(place);
  message.im_vif_hi = static_cast<unsigned char>(place >> 8);
  std::memcpy(&message.im_src, source.bytes().data(), 4);
  std::memcpy(&message.im_dst, group.bytes().data(), 4);
  Buffer out(sizeof message);
  std::memcpy(out.data(), &message, sizeof message);
  return out;
}

Buffer upcall6(std::uint8_t type, unsigned place, const IpAddress& source = kSource6,
               const IpAddress& group = kGroup6) {
  mrt6msg message{};
  message.im6_msgtype = type;
  message.im6_mif = static_cast<std::uint16_t>(place);
  message.im6_pad = 0xFFFFFFFF;
  std::memcpy(&message.im6_src, source.bytes().data(), 16);
  std::memcpy(&message.im6_dst, group.bytes().data(), 16);
  Buffer out(sizeof message);
  std::memcpy(out.data(), &message, sizeof message);
  return out;
}

TEST(RouteUpcall, ReadsBothKindsOfBothFamilies) {
  EXPECT_EQ(*decode_route_upcall(Family::kIp4, upcall4(IGMPMSG_NOCACHE, 3)),
            (KernelUpcall{KernelUpcall::Kind::kNoRoute, 3, kSource4, kGroup4}));
  EXPECT_EQ(*decode_route_upcall(Family::kIp4, upcall4(IGMPMSG_WRONGVIF, 0x0102)),
            (KernelUpcall{KernelUpcall::Kind::kWrongInterface, 0x0102, kSource4, kGroup4}));
  EXPECT_EQ(*decode_route_upcall(Family::kIp6, upcall6(MRT6MSG_NOCACHE, 31)),
            (KernelUpcall{KernelUpcall::Kind::kNoRoute, 31, kSource6, kGroup6}));
  EXPECT_EQ(*decode_route_upcall(Family::kIp6, upcall6(MRT6MSG_WRONGMIF, 0x0102)),
            (KernelUpcall{KernelUpcall::Kind::kWrongInterface, 0x0102, kSource6, kGroup6}));
}

// As seen on a little-endian machine.
TEST(RouteUpcall, GoldenOctets) {
  EXPECT_EQ(to_hex(upcall4(IGMPMSG_NOCACHE, 2)), "45000000ffffffff01000200c0000201e8010101");
  if (std::endian::native == std::endian::little) {
    EXPECT_EQ(to_hex(upcall6(MRT6MSG_NOCACHE, 2)),
              "00010200ffffffff20010db8000000000000000000000001ff3e0000000000000000000000000001");
  }
}

TEST(RouteUpcall, EveryPrefixIsRefusedAndWhatFollowsIsPassedOver) {
  for (const auto& [family, whole] : {std::pair(Family::kIp4, upcall4(IGMPMSG_NOCACHE, 1)),
                                      std::pair(Family::kIp6, upcall6(MRT6MSG_NOCACHE, 1))}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Buffer prefix(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      const auto refused = decode_route_upcall(family, prefix);
      ASSERT_FALSE(refused) << size;
      EXPECT_EQ(refused.error(), ParseError::kTruncated);
    }
    Buffer longer = whole;
    longer.resize(longer.size() + 8, 0xEE);
    EXPECT_TRUE(decode_route_upcall(family, longer));
  }
}

ParseError refusal(Family family, const Buffer& message) {
  const auto decoded = decode_route_upcall(family, message);
  EXPECT_FALSE(decoded);
  return decoded ? ParseError::kTruncated : decoded.error();
}

TEST(RouteUpcall, RefusesWhatIsNoneByReason) {
  for (const int type : {0, 3, 4, 255}) {
    EXPECT_EQ(refusal(Family::kIp4, upcall4(static_cast<std::uint8_t>(type), 1)), ParseError::kUnsupported);
    EXPECT_EQ(refusal(Family::kIp6, upcall6(static_cast<std::uint8_t>(type), 1)), ParseError::kUnsupported);
  }
  Buffer packet = upcall4(IGMPMSG_NOCACHE, 1);
  packet[9] = 2;  // a real IPv4 packet has its protocol there
  EXPECT_EQ(refusal(Family::kIp4, packet), ParseError::kUnknownType);
  Buffer icmp = upcall6(MRT6MSG_NOCACHE, 1);
  icmp[0] = 130;  // a real ICMPv6 message has its type there
  EXPECT_EQ(refusal(Family::kIp6, icmp), ParseError::kUnknownType);
  const IpAddress any4;
  const IpAddress any6 = IpAddress::any(Family::kIp6);
  EXPECT_EQ(refusal(Family::kIp4, upcall4(IGMPMSG_NOCACHE, 1, any4)), ParseError::kBadValue);
  EXPECT_EQ(refusal(Family::kIp4, upcall4(IGMPMSG_NOCACHE, 1, kGroup4)), ParseError::kBadValue);
  EXPECT_EQ(refusal(Family::kIp4, upcall4(IGMPMSG_NOCACHE, 1, kSource4, kSource4)), ParseError::kBadValue);
  EXPECT_EQ(refusal(Family::kIp6, upcall6(MRT6MSG_NOCACHE, 1, any6)), ParseError::kBadValue);
  EXPECT_EQ(refusal(Family::kIp6, upcall6(MRT6MSG_NOCACHE, 1, kSource6, kSource6)), ParseError::kBadValue);
}

}  // namespace
}  // namespace hearthcast::linux
