#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tunnelmgr/playlist/m3u.hpp"

namespace hearthcast::playlist {
namespace {

using testing::HasSubstr;

struct Good {
  std::string_view url;
  std::string_view flow;
  bool rtp;
};

TEST(ChannelUrl, TakesEveryFormOfAnAddress) {
  const Good rows[] = {
      {"udp://@239.1.1.1:5000", "239.1.1.1:5000", false},
      {"udp://239.1.1.1:5000", "239.1.1.1:5000", false},
      {"rtp://@239.1.1.1:5000", "239.1.1.1:5000", true},
      {"rtp://192.0.2.1@232.1.1.1:5000", "192.0.2.1@232.1.1.1:5000", true},
      {"udp://@[ff3e::8000:1]:1234", "[ff3e::8000:1]:1234", false},
      {"udp://[ff3e::8000:1]:1234", "[ff3e::8000:1]:1234", false},
      {"rtp://[2001:db8::1]@[ff3e::8000:1]:1234", "[2001:db8::1]@[ff3e::8000:1]:1234", true},
      {"rtp://2001:db8::1@[ff3e::8000:1]:1234", "[2001:db8::1]@[ff3e::8000:1]:1234", true},
      {"UDP://@239.1.1.1:65535", "239.1.1.1:65535", false},
      {"udp://@239.1.1.1:5000/", "239.1.1.1:5000", false},
      {"udp://239.1.1.1:5000?pkt_size=1316", "239.1.1.1:5000", false},
      {"udp://232.1.1.1:5000?fifo_size=9&sources=192.0.2.1,192.0.2.2", "192.0.2.1@232.1.1.1:5000", false},
      {"udp://0.0.0.0@239.1.1.1:5000", "239.1.1.1:5000", false},
  };
  for (const Good& row : rows) {
    const auto entry = parse_channel_url(row.url);
    ASSERT_TRUE(entry) << row.url << ": " << entry.error().text;
    EXPECT_EQ(entry->flow.to_string(), row.flow) << row.url;
    EXPECT_EQ(entry->rtp, row.rtp) << row.url;
  }
}

struct Bad {
  std::string_view url;
  std::string_view text;  // a part of what a person reads
};

TEST(ChannelUrl, SaysWhatIsWrongAndHowItShouldLook) {
  const Bad rows[] = {
      {"http://192.0.2.1:4022/udp/239.1.1.1:5000", "is a web address"},
      {"239.1.1.1:5000", "write udp://@239.1.1.1:5000"},
      {"rtsp://192.0.2.1/1", "is not the address of a channel"},
      {"udp://", "the address is missing"},
      {"udp://@", "the address is missing"},
      {"udp://@239.1.1.1", "the port is missing"},
      {"udp://@[ff3e::1]", "the port is missing"},
      {"udp://@239.1.1.1:", "is not a port"},
      {"udp://@239.1.1.1:0", "from 1 to 65535"},
      {"udp://@239.1.1.1:65536", "from 1 to 65535"},
      {"udp://@239.1.1.1:50x", "is not a port"},
      {"udp://@ff3e::1:5000", "in brackets"},
      {"udp://@[ff3e::1%eth0]:5000", "leave out what begins with %"},
      {"udp://@[239.1.1.1]:5000", "is not an IP address"},
      {"udp://@tv.example.net:5000", "names are not looked up"},
      {"udp://@239.1.1.256:5000", "is not an IP address"},
      {"udp://@192.0.2.7:5000", "is not a multicast address"},
      {"udp://@[2001:db8::7]:5000", "is not a multicast address"},
      {"udp://somebody@239.1.1.1:5000", "before the @"},
      {"udp://192.0.2.1@[ff3e::1]:5000", "not of one IP version"},
  };
  for (const Bad& row : rows) {
    const auto entry = parse_channel_url(row.url);
    ASSERT_FALSE(entry) << row.url;
    EXPECT_THAT(entry.error().text, HasSubstr(std::string(row.text))) << row.url;
  }
}

TEST(ChannelUrl, ItsErrorsAreShortAndPrintable) {
  const auto entry = parse_channel_url("udp://@" + std::string(5000, 'x') + "\x01");
  ASSERT_FALSE(entry);
  EXPECT_LT(entry.error().text.size(), 300U);
  EXPECT_THAT(parse_channel_url("udp\x01").error().text, testing::Not(HasSubstr("\x01")));
}

}  // namespace
}  // namespace hearthcast::playlist
