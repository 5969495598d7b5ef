#include "tunnelmgr/tunnel/home_hosts.hpp"

#include <gtest/gtest.h>

#include <string>

namespace hearthcast::tunnel {
namespace {

HomeHosts hosts(std::initializer_list<const char*> texts) {
  HomeHosts all;
  for (const char* text : texts) {
    all.push_back(*HomeHost::parse(text));
  }
  return all;
}

TEST(HomeHostsMessage, TravelsAsItIs) {
  for (const HomeHosts& all :
       {HomeHosts(), hosts({"192.168.1.50:80"}), hosts({"192.168.1.0/24", "[fd00::5]:1-2"})}) {
    const auto back = decode_home_hosts(encode_home_hosts(all));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, all);
  }
  EXPECT_EQ(as_text(encode_home_hosts(hosts({"192.168.1.50:80"}))),
            R"({"hosts":["192.168.1.50:80"],"type":"home_hosts"})");
}

TEST(HomeHostsMessage, WhatIsNoHostIsPassedOver) {
  const auto read = decode_home_hosts(as_bytes(
      R"({"type":"home_hosts","hosts":["8.8.8.8",1,null,["192.168.1.9"],"192.168.1.50","192.168.1.50","0.0.0.0/0"],"more":{}})"));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, hosts({"192.168.1.50"}));
}

TEST(HomeHostsMessage, HasALimit) {
  std::string text = R"({"type":"home_hosts","hosts":[)";
  for (int i = 0; i < 100; ++i) {
    text += (i == 0 ? "\"" : ",\"") + std::string("192.168.1.") + std::to_string(i) + "\"";
  }
  const auto read = decode_home_hosts(as_bytes(text + "]}"));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->size(), kMaxHomeHosts);
  EXPECT_FALSE(decode_home_hosts(Buffer(20'000, ' ')));
}

TEST(HomeHostsMessage, OtherMessagesAreNone) {
  EXPECT_EQ(decode_home_hosts(as_bytes(R"({"type":"reach","hosts":[]})")).error(), ParseError::kUnknownType);
  EXPECT_EQ(decode_home_hosts(as_bytes(R"({"hosts":[]})")).error(), ParseError::kUnknownType);
  EXPECT_EQ(decode_home_hosts(as_bytes(R"({"type":"home_hosts"})")).error(), ParseError::kBadValue);
  EXPECT_EQ(decode_home_hosts(as_bytes(R"({"type":"home_hosts","hosts":{}})")).error(),
            ParseError::kBadValue);
  const std::string whole = R"({"type":"home_hosts","hosts":["192.168.1.50"]})";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_home_hosts(as_bytes(whole.substr(0, size)))) << size;
  }
}

}  // namespace
}  // namespace hearthcast::tunnel
