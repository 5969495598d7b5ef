#include "tunnelmgr/signalling/relay_url.hpp"

#include <gtest/gtest.h>

namespace hearthcast::signalling {
namespace {

using Transport = RelayUrl::Transport;

TEST(RelayUrl, IsReadAsRfc7065WritesIt) {
  const std::pair<const char*, RelayUrl> table[] = {
      {"turn:relay.example.org", {"relay.example.org", 3478, Transport::kUdp}},
      {"turn:relay.example.org:3479", {"relay.example.org", 3479, Transport::kUdp}},
      {"turn:192.0.2.1:1?transport=udp", {"192.0.2.1", 1, Transport::kUdp}},
      {"turn:192.0.2.1?transport=tcp", {"192.0.2.1", 3478, Transport::kTcp}},
      {"turn:[2001:db8::1]:65535", {"2001:db8::1", 65535, Transport::kUdp}},
      {"turn:[2001:db8::1]", {"2001:db8::1", 3478, Transport::kUdp}},
      {"turns:relay", {"relay", 5349, Transport::kTls}},
      {"turns:relay:443?transport=tcp", {"relay", 443, Transport::kTls}},
  };
  for (const auto& [text, url] : table) {
    const auto parsed = parse_relay_url(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, url) << text;
  }
}

TEST(RelayUrl, WhatIsNoneIsRefused) {
  for (const char* text : {"",
                           "turn",
                           "turn:",
                           "turn://relay",
                           "stun:relay",
                           "TURN:relay",
                           "turn::3478",
                           "turn:relay:",
                           "turn:relay:0",
                           "turn:relay:65536",
                           "turn:relay:+1",
                           "turn:relay:1x",
                           "turn:relay?",
                           "turn:relay?transport=sctp",
                           "turn:relay?transport=udp&x",
                           "turns:relay?transport=udp",
                           "turn:re lay",
                           "turn:user@relay",
                           "turn:-relay",
                           "turn:.relay",
                           "turn:[192.0.2.1]",
                           "turn:[2001:db8::1",
                           "turn:[2001:db8::1]3478",
                           "turn:[]",
                           "turn:2001:db8::1",
                           "turn:relay/path",
                           "turn:relay\n"}) {
    EXPECT_FALSE(parse_relay_url(text)) << text;
  }
  EXPECT_FALSE(parse_relay_url("turn:" + std::string(254, 'a')));
  EXPECT_TRUE(parse_relay_url("turn:" + std::string(253, 'a')));
}

}  // namespace
}  // namespace hearthcast::signalling
