#include "tunnelmgr/tunnel/reach.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hearthcast::tunnel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string written(std::string_view text) {
  const auto parsed = ReachAddress::parse(text);
  return parsed ? parsed->to_string() : "refused";
}

Result<Reach> decoded(std::string_view text) { return decode_reach(as_bytes(text)); }

TEST(ReachAddress, IsReadInEveryFormThatPeopleWrite) {
  EXPECT_EQ(written("198.51.100.2"), "198.51.100.2:4755");
  EXPECT_EQ(written("198.51.100.2:9000"), "198.51.100.2:9000");
  EXPECT_EQ(written("2001:db8::2"), "[2001:db8::2]:4755");
  EXPECT_EQ(written("[2001:db8::2]"), "[2001:db8::2]:4755");
  EXPECT_EQ(written("[2001:db8::2]:9000"), "[2001:db8::2]:9000");
  EXPECT_EQ(written("home.example.net"), "home.example.net:4755");
  EXPECT_EQ(written("home.example.net:65535"), "home.example.net:65535");
  EXPECT_EQ(written("box"), "box:4755");
  EXPECT_EQ(written("4you.example"), "4you.example:4755");
}

TEST(ReachAddress, RefusesWhatIsNeitherAddressNorName) {
  for (const char* const text : {"",
                                 ":4755",
                                 "home:",
                                 "home:0",
                                 "home:65536",
                                 "home:4755x",
                                 "home: 4755",
                                 "-home",
                                 "home-",
                                 "ho me",
                                 "home..net",
                                 ".net",
                                 "home.",
                                 "1.2.3",
                                 "1.2.3.4.5",
                                 "300.1.2.3",
                                 "[198.51.100.2]:1",
                                 "[home]:1",
                                 "[2001:db8::2",
                                 "2001:db8::2]:1",
                                 "home/../x",
                                 "http://home",
                                 "h\xc3\xb6me"}) {
    EXPECT_EQ(written(text), "refused") << text;
  }
  EXPECT_EQ(written(std::string(64, 'a') + ".net"), "refused");
  EXPECT_EQ(written(std::string(63, 'a') + ".net"), std::string(63, 'a') + ".net:4755");
  std::string longest;
  while (longest.size() < 260) {
    longest += "abcdefgh.";
  }
  EXPECT_EQ(written(longest + "net"), "refused");
}

TEST(Reach, HasTheTextOfTheDocument) {
  const Reach reach{{*ReachAddress::parse("198.51.100.2:4755"), *ReachAddress::parse("home.example.net")},
                    "wss://rendezvous.example/v1",
                    "webpki"};
  const Buffer octets = encode(reach);
  EXPECT_EQ(as_text(octets),
            R"({"addresses":["198.51.100.2:4755","home.example.net:4755"],)"
            R"("rendezvous":{"pin":"webpki","url":"wss://rendezvous.example/v1"},"type":"reach"})");
  EXPECT_EQ(decode_reach(octets).value(), reach);
}

TEST(Reach, ReadsBackWithoutARendezvousAndEmpty) {
  for (const Reach& reach : {Reach{}, Reach{{*ReachAddress::parse("[2001:db8::1]:1")}, "", ""}}) {
    EXPECT_EQ(decode_reach(encode(reach)).value(), reach);
  }
}

TEST(Reach, PassesOverAddressesThatItDoesNotUnderstand) {
  const auto reach =
      decoded(R"({"type":"reach","addresses":["quic://x", 7, null, "198.51.100.2:1"], "new": {}})");
  ASSERT_TRUE(reach);
  EXPECT_THAT(reach->addresses, ElementsAre(*ReachAddress::parse("198.51.100.2:1")));
  EXPECT_THAT(reach->rendezvous_url, IsEmpty());
}

TEST(Reach, TakesNoMoreThanItsShare) {
  Reach many;
  for (std::uint16_t port = 1; port <= 40; ++port) {
    many.addresses.push_back({IpAddress::ip4(0xc6336402), "", port});
  }
  const auto reach = decode_reach(encode(many));
  ASSERT_TRUE(reach);
  EXPECT_EQ(reach->addresses.size(), kMaxReachAddresses);
  EXPECT_EQ(reach->addresses.back().port, 16);
}

TEST(Reach, RefusesOtherMessagesAndDamage) {
  EXPECT_EQ(decoded(R"({"type":"ping","nonce":1})").error(), ParseError::kUnknownType);
  EXPECT_EQ(decoded(R"({"addresses":[]})").error(), ParseError::kUnknownType);
  EXPECT_EQ(decoded(R"({"type":"reach"})").error(), ParseError::kBadValue);
  EXPECT_EQ(decoded(R"({"type":"reach","addresses":"198.51.100.2"})").error(), ParseError::kBadValue);
  EXPECT_EQ(decoded("[]").error(), ParseError::kBadValue);
  EXPECT_EQ(decoded("").error(), ParseError::kBadValue);
  EXPECT_EQ(decoded(R"({"type":"reach","addresses":[)" + std::string(17000, ' ') + "]}").error(),
            ParseError::kBadLength);
  const std::string whole(as_text(encode(Reach{{*ReachAddress::parse("a:1")}, "u", "p"})));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decoded(whole.substr(0, size))) << size;
  }
  EXPECT_TRUE(decoded(whole));
}

TEST(Reach, DepthCostsNothing) {
  const std::string deep =
      R"({"type":"reach","addresses":)" + std::string(8000, '[') + std::string(8000, ']') + "}";
  EXPECT_TRUE(decoded(deep));  // what is too deep is left out before it is built
}

TEST(Reach, TextsThatAreTooLongAreLeftOut) {
  const auto reach = decoded(R"({"type":"reach","addresses":[],"rendezvous":{"url":")" +
                             std::string(600, 'w') + R"(","pin":7}})");
  ASSERT_TRUE(reach);
  EXPECT_EQ(*reach, Reach{});
}

}  // namespace
}  // namespace hearthcast::tunnel
