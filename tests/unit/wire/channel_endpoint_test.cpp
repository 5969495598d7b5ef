#include "tunnelmgr/wire/channel_endpoint.hpp"

#include <gtest/gtest.h>

#include "tunnelmgr/wire/channel_data.hpp"

namespace hearthcast::wire {
namespace {

TEST(ChannelEndpoint, IsThereAndBackForEveryChannel) {
  for (unsigned channel = kFirstChannel; channel <= kLastChannel; ++channel) {
    const auto number = static_cast<std::uint16_t>(channel);
    EXPECT_EQ(channel_of(channel_endpoint(number)), number);
  }
  EXPECT_EQ(channel_endpoint(0x4001).to_string(), "[100::]:16385");
}

TEST(ChannelEndpoint, EndpointsOfTheNetworkAreNone) {
  for (const auto* text : {"192.0.2.1:16385", "[2001:db8::1]:16385", "[100::1]:16385", "[100::]:4755",
                           "[100::]:20480", "[::]:16385", "0.0.0.0:16385"}) {
    EXPECT_FALSE(channel_of(*Endpoint::parse(text))) << text;
  }
}

}  // namespace
}  // namespace hearthcast::wire
