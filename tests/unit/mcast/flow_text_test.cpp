#include "tunnelmgr/mcast/flow_text.hpp"

#include <gtest/gtest.h>

namespace hearthcast::mcast {
namespace {

std::string reading(const std::string& text) {
  const auto flow = parse_flow(text);
  return flow ? flow->to_string() : "refused: " + flow.error().text;
}

TEST(FlowText, ReadsBothFamiliesWithAndWithoutSourceAndPort) {
  EXPECT_EQ(reading("239.1.1.1:5000"), "239.1.1.1:5000");
  EXPECT_EQ(reading("239.1.1.1"), "239.1.1.1:8123");
  EXPECT_EQ(reading("10.0.0.1@232.1.1.1:5000"), "10.0.0.1@232.1.1.1:5000");
  EXPECT_EQ(reading("@239.1.1.1:5000"), "239.1.1.1:5000") << "as in udp://@GROUP:PORT";
  EXPECT_EQ(reading("[ff3e::1]:5000"), "[ff3e::1]:5000");
  EXPECT_EQ(reading("ff15:7079:7468:6f6e:6465:6d6f:6d63:6173"),
            "[ff15:7079:7468:6f6e:6465:6d6f:6d63:6173]:8123");
  EXPECT_EQ(parse_flow("[2001:db8::1]@[ff3e::1]:5000")->source, IpAddress::parse("2001:db8::1"));
  EXPECT_EQ(parse_flow("2001:db8::1@[ff3e::1]:5000")->source, IpAddress::parse("2001:db8::1"));
  EXPECT_EQ(parse_flow("[ff3e::1]")->port, kDefaultPort);
}

TEST(FlowText, RefusesWithWords) {
  EXPECT_EQ(reading("192.0.2.1:5000"), "refused: 192.0.2.1 is no multicast group (224.0.0.0/4, ff00::/8)");
  EXPECT_EQ(reading("tv"), "refused: 'tv' is no group; write 239.1.1.1:5000 or [ff3e::1]:5000");
  EXPECT_EQ(reading("10.0.0.x@239.1.1.1"), "refused: '10.0.0.x' is no address; write [SOURCE@]GROUP[:PORT]");
  EXPECT_EQ(reading("239.1.1.1:0"), "refused: port 0 cannot be sent to");
  EXPECT_EQ(reading("2001:db8::1@239.1.1.1"), "refused: 2001:db8::1 cannot be a source of 239.1.1.1");
  EXPECT_EQ(reading("239.1.1.2@239.1.1.1"), "refused: 239.1.1.2 cannot be a source of 239.1.1.1");
  for (const char* text : {"", "@", "239.1.1.1:99999", "[ff3e::1", "239.1.1.1:port"}) {
    EXPECT_FALSE(parse_flow(text)) << text;
  }
}

}  // namespace
}  // namespace hearthcast::mcast
