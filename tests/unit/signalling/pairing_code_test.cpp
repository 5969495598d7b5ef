#include "tunnelmgr/signalling/pairing_code.hpp"

#include <gtest/gtest.h>

#include "tunnelmgr/base/text.hpp"

namespace hearthcast::signalling {
namespace {

PairingLink sample_link() {
  PairingLink link;
  link.box.digest.fill(0xab);
  link.secret.fill(0x11);
  Sha256 pin;
  pin.fill(0x22);
  link.rendezvous = RendezvousAddress{"wss://r.example/v1", pin};
  link.addresses = {*Endpoint::parse("192.168.1.5:8871"), *Endpoint::parse("[2001:db8::5]:8871")};
  return link;
}

std::string link_of(Bytes octets) { return "hearthcast://pair#" + to_base64url(octets); }

TEST(PairingLinkCodec, GoldenOctets) {
  PairingLink link = sample_link();
  link.rendezvous = RendezvousAddress{"wss://r", std::nullopt};
  link.addresses = {*Endpoint::parse("1.2.3.4:8871")};
  Buffer golden{1};
  golden.insert(golden.end(), 32, 0xab);
  golden.insert(golden.end(), 16, 0x11);
  const std::string rest("\1\0\7wss://r\1\4\1\2\3\4\x22\xa7", 18);
  golden.insert(golden.end(), rest.begin(), rest.end());
  EXPECT_EQ(encode_link(link), link_of(golden));
}

TEST(PairingLinkCodec, RoundTripsAllKindsOfRendezvous) {
  PairingLink link = sample_link();
  EXPECT_EQ(*decode_link(encode_link(link)), link);
  link.rendezvous->pin.reset();
  EXPECT_EQ(*decode_link(encode_link(link)), link);
  link.rendezvous.reset();
  link.addresses.clear();
  EXPECT_EQ(*decode_link(encode_link(link)), link);
}

TEST(PairingLinkCodec, EveryPrefixIsRejected) {
  const std::string whole = encode_link(sample_link());
  for (std::size_t n = 0; n < whole.size(); ++n) {
    EXPECT_FALSE(decode_link(whole.substr(0, n))) << n;
  }
  EXPECT_FALSE(decode_link(whole + "AAAA"));
}

TEST(PairingLinkCodec, RefusesOtherVersionsKindsFamiliesAndUrls) {
  const auto octets = *from_base64url(encode_link(sample_link()).substr(18));
  const auto with = [&](std::size_t at, std::uint8_t value) {
    Buffer changed = octets;
    changed[at] = value;
    return decode_link(link_of(changed));
  };
  EXPECT_EQ(with(0, 2).error(), ParseError::kUnsupported);
  EXPECT_FALSE(with(49, 3));    // kind of pin
  EXPECT_FALSE(with(49, 0));    // a URL without rendezvous
  EXPECT_FALSE(with(84, 'h'));  // not wss
  EXPECT_FALSE(with(91, ' '));  // a blank inside the URL
  EXPECT_FALSE(with(102, 17));  // more addresses than a link may have
  EXPECT_FALSE(with(103, 5));   // family
  EXPECT_FALSE(decode_link("http://pair#AQ"));
  EXPECT_FALSE(decode_link("hearthcast://pair#A+/="));
}

TEST(PairingCodeCodec, GroupsOfFiveAndBack) {
  PairingCode code;
  code.locator = "7K2M";
  code.secret = {0, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6, 0x35, 0xcf};
  const std::string text = encode_code(code);
  EXPECT_EQ(text, "7K2M0-12345-6789A-BCDEF");
  EXPECT_EQ(*decode_code(text), code);
}

TEST(PairingCodeCodec, ForgivesHowPeopleType) {
  const auto strict = decode_code("7K2M0-12345-6789A-BCDEF");
  EXPECT_EQ(*decode_code("7k2mo l2345 6789a bcdef"), *strict);
  EXPECT_EQ(*decode_code("7K2M0I23456789ABCDEF"), *strict);
}

TEST(PairingCodeCodec, RefusesOtherLengthsAndSymbols) {
  EXPECT_EQ(decode_code("7K2M0-12345-6789A-BCDE").error(), ParseError::kTruncated);
  EXPECT_EQ(decode_code("7K2M0-12345-6789A-BCDEFG").error(), ParseError::kBadLength);
  EXPECT_EQ(decode_code("7K2M0-12345-6789A-BCDEU").error(), ParseError::kBadValue);
  EXPECT_FALSE(decode_code(""));
  EXPECT_FALSE(decode_code(std::string(10000, '-')));
}

TEST(Invitation, IsALinkOrACode) {
  const std::string link = "  " + encode_link(sample_link()) + "\n";
  EXPECT_TRUE(std::holds_alternative<PairingLink>(*decode_invitation(link)));
  EXPECT_TRUE(std::holds_alternative<PairingCode>(*decode_invitation(" 7K2M0-12345-6789A-BCDEF ")));
  EXPECT_FALSE(decode_invitation("hello"));
  EXPECT_FALSE(decode_invitation("  "));
}

TEST(RendezvousAddressTest, ReadsPinsAndRefusesOtherSchemes) {
  const auto pinned = RendezvousAddress::parse("wss://h/v1", std::string(64, 'a'));
  ASSERT_TRUE(pinned);
  EXPECT_EQ(pinned->pin_text(), std::string(64, 'a'));
  EXPECT_EQ(RendezvousAddress::parse("wss://h/v1", "webpki")->pin_text(), "webpki");
  EXPECT_FALSE(RendezvousAddress::parse("ws://h/v1", "webpki"));
  EXPECT_FALSE(RendezvousAddress::parse("wss://", "webpki"));
  EXPECT_FALSE(RendezvousAddress::parse("wss://h/v1", "none"));
}

TEST(PairingLinkCodec, AnAddressWithoutAPortIsPassedOver) {
  PairingLink link = sample_link();
  link.addresses.insert(link.addresses.begin(), *Endpoint::parse("192.0.2.1:0"));
  EXPECT_EQ(decode_link(encode_link(link))->addresses, sample_link().addresses);
}

}  // namespace
}  // namespace hearthcast::signalling
