#include "tunnelmgr/signalling/message.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tunnelmgr/base/text.hpp"

namespace hearthcast::signalling {
namespace {

IdentityId id_of(std::uint8_t octet) {
  IdentityId id;
  id.digest.fill(octet);
  return id;
}

const Buffer kKey(91, 4);
const Buffer kPayload{1, 2, 3};
const Buffer kSignature(70, 9);

std::vector<Message> samples() {
  Challenge challenge;
  challenge.nonce.fill(7);
  challenge.software = "hearthcast 0.1.0";
  return {
      challenge,
      Hello{Role::kBox, kKey, kSignature, "s"},
      Hello{Role::kDevice, kKey, kSignature, ""},
      Welcome{{"user", "secret", 3478, 20}, *Endpoint::parse("203.0.113.5:40000")},
      Allow{{id_of(1), id_of(2)}, 12, kSignature},
      Allow{{}, 0, kSignature},
      PairingWindow{"7K2M", 600},
      PairingWindow{"", 0},
      Mapping{*Endpoint::parse("[2001:db8::1]:4755")},
      Moved{id_of(7), {*Endpoint::parse("198.51.100.1:4755"), *Endpoint::parse("[2001:db8::1]:4755")}},
      RelayAccess{
          {"turn:relay.example.org:3479", "turns:relay.example.org:443"}, "1800000000:d", "p", 172800},
      RelayAccess{{}, "u", "p", 0},
      IntroduceRequest{1, id_of(3), kPayload, kSignature, {}},
      IntroduceRequest{1, id_of(3), kPayload, kSignature, {*Endpoint::parse("203.0.113.20:49152")}},
      IntroduceOffer{2, id_of(4), kKey, kPayload, kSignature, {*Endpoint::parse("192.0.2.1:1")}},
      IntroduceAnswer{3, kPayload, kSignature, {}},
      IntroduceRefusal{4, kPayload, kSignature},
      PairRequest{5, id_of(5), "{}"},
      PairRequest{6, std::string("7K2M"), "{}"},
      PairOffer{7, id_of(6), "{}"},
      PairAnswer{8, "{}"},
      Error{std::nullopt, ErrorCode::kReplaced, "another box with this identity has connected"},
      Error{9, ErrorCode::kNotPresent, ""},
      Error{std::nullopt, ErrorCode::kNotEnrolled, "ask for a token"},
      Error{std::nullopt, ErrorCode::kClosed, "unpaid"},
      Error{std::nullopt, ErrorCode::kDraining, "later", 30},
      Hello{Role::kBox, kKey, kSignature, "s", "7K2M0"},
  };
}

TEST(MessageCodec, EveryMessageRoundTrips) {
  for (const Message& message : samples()) {
    const auto again = decode_message(encode(message));
    ASSERT_TRUE(again) << encode(message);
    EXPECT_EQ(*again, message) << encode(message);
  }
}

TEST(MessageCodec, GoldenText) {
  EXPECT_EQ(encode(PairingWindow{"7K2M", 600}), R"({"locator":"7K2M","seconds":600,"type":"pairing"})");
  EXPECT_EQ(encode(Error{9, ErrorCode::kNotAllowed, "no"}),
            R"({"code":"not_allowed","id":9,"text":"no","type":"error"})");
}

TEST(MessageCodec, ARefusalOfAnOldListSaysWhichOneIsKept) {
  const Message error = Error{std::nullopt, ErrorCode::kBadMessage, "old", std::nullopt, UINT64_MAX};
  EXPECT_EQ(encode(error),
            R"({"code":"bad_message","revision":18446744073709551615,"text":"old","type":"error"})");
  EXPECT_EQ(decode_message(encode(error)).value(), error);
}

TEST(MessageCodec, EveryPrefixIsRejected) {
  for (const Message& message : samples()) {
    const std::string whole = encode(message);
    for (std::size_t n = 0; n < whole.size(); ++n) {
      EXPECT_FALSE(decode_message(whole.substr(0, n))) << whole.substr(0, n);
    }
  }
}

// A member renamed or of another type is refused, unless it may be absent.
TEST(MessageCodec, EveryRequiredMemberIsRequired) {
  const std::string_view optional[] = {"software",  "observed", "text",   "id",
                                       "enrolment", "retry_s",  "relayed"};
  for (const Message& message : samples()) {
    const std::string whole = encode(message);
    for (std::size_t at = whole.find("\":"); at != std::string::npos; at = whole.find("\":", at + 1)) {
      const std::size_t start = whole.rfind('"', at - 1) + 1;
      const std::string_view name = std::string_view(whole).substr(start, at - start);
      if (std::ranges::find(optional, name) != std::end(optional)) {
        continue;
      }
      std::string renamed = whole;
      renamed.insert(start, "x");
      EXPECT_FALSE(decode_message(renamed)) << renamed;
    }
  }
}

TEST(MessageCodec, RefusesWrongValues) {
  for (
      const char* bad : {
          "",
          "null",
          "[]",
          "3",
          R"("text")",
          "{}",
          R"({"type":5})",
          R"({"type":"challenge","nonce":"AAAA"})",
          R"({"type":"challenge","nonce":7})",
          R"({"type":"hello","role":"admin","public_key":"AAAA","signature":"AAAA"})",
          R"({"type":"hello","role":"box","public_key":"","signature":"AAAA"})",
          R"({"type":"hello","role":"box","public_key":"A===","signature":"AAAA"})",
          R"({"type":"mapping","endpoint":"1.2.3.4"})",
          R"({"type":"mapping","endpoint":"1.2.3.4:70000"})",
          R"({"type":"relay","urls":"turn:a","username":"u","password":"p","lifetime_s":1})",
          R"({"type":"relay","urls":[1],"username":"u","password":"p","lifetime_s":1})",
          R"({"type":"relay","urls":[],"username":1,"password":"p","lifetime_s":1})",
          R"({"type":"relay","urls":[],"username":"u","password":"p","lifetime_s":-1})",
          R"({"type":"relay","urls":[],"username":"u","password":"p","lifetime_s":99999999})",
          R"({"type":"pairing","locator":"TOOLONG","seconds":1})",
          R"({"type":"pairing","locator":"","seconds":-1})",
          R"({"type":"pairing","locator":"","seconds":1e9})",
          R"({"type":"pairing","locator":"","seconds":99999999999999999999})",
          R"({"type":"error","code":"fun"})",
          R"({"type":"pair","id":1,"payload":"x"})",
          R"({"type":"pair","id":1,"locator":"ABC","payload":"x"})",
          R"({"type":"answer","id":1,"payload":"","signature":"AAAA"})",
          R"({"type":"answer","id":1.5,"payload":"AAAA","signature":"AAAA"})",
          R"({"type":"answer","id":1,"payload":"AAAA","signature":"AAAA","observed":"x"})",
          R"({"type":"answer","id":1,"payload":"AAAA","signature":"AAAA","observed":[1]})",
          R"({"type":"allow","devices":["zz"],"revision":1,"signature":"AAAA"})",
          R"({"type":"allow","devices":{},"revision":1,"signature":"AAAA"})",
          R"({"type":"welcome","observed":"1.2.3.4:5","presence":{"username":"u","password":"p","port":0,"interval_s":20}})",
          R"({"type":"welcome","observed":"1.2.3.4:5","presence":[]})",
      }) {
    const auto message = decode_message(bad);
    ASSERT_FALSE(message) << bad;
    EXPECT_EQ(message.error(), ParseError::kBadValue) << bad;
  }
}

TEST(MessageCodec, LimitsSizesAndDepth) {
  EXPECT_FALSE(decode_message(encode(PairAnswer{1, std::string(kMaxPayload + 1, 'a')})));
  EXPECT_TRUE(decode_message(encode(PairAnswer{1, std::string(kMaxPayload, 'a')})));
  EXPECT_FALSE(decode_message(encode(IntroduceAnswer{1, Buffer(kMaxPayload + 1), kSignature, {}})));
  EXPECT_FALSE(decode_message(encode(IntroduceAnswer{
      1, kPayload, kSignature, std::vector<Endpoint>(kMaxObserved + 1, *Endpoint::parse("1.2.3.4:5"))})));
  EXPECT_TRUE(decode_message(encode(Allow{std::vector<IdentityId>(kMaxAllowed), 1, kSignature})));
  EXPECT_TRUE(
      decode_message(encode(RelayAccess{std::vector<std::string>(kMaxRelayUrls, "turn:a"), "u", "p", 1})));
  EXPECT_FALSE(decode_message(
      encode(RelayAccess{std::vector<std::string>(kMaxRelayUrls + 1, "turn:a"), "u", "p", 1})));
  EXPECT_FALSE(decode_message(encode(RelayAccess{{std::string(513, 'a')}, "u", "p", 1})));
  EXPECT_FALSE(decode_message(encode(Allow{std::vector<IdentityId>(kMaxAllowed + 1), 1, kSignature})));
  EXPECT_FALSE(
      decode_message(R"({"type":"mapping","endpoint":"1.2.3.4:5","x":)" + std::string(70000, ' ') + "1}"));
  std::string deep = R"({"type":"mapping","endpoint":"1.2.3.4:5","x":)";
  deep += std::string(10000, '[') + std::string(10000, ']') + "}";
  EXPECT_FALSE(decode_message(deep));
}

TEST(MessageCodec, UnknownMembersAreIgnoredAndUnknownTypesAreTold) {
  EXPECT_TRUE(decode_message(R"({"type":"mapping","endpoint":"1.2.3.4:5","future":{"a":[1]}})"));
  EXPECT_EQ(decode_message(R"({"type":"dance"})").error(), ParseError::kUnknownType);
}

TEST(MessageCodec, BadUtf8NeitherThrowsNorPasses) {
  EXPECT_FALSE(decode_message("{\"type\":\"error\",\"code\":\"rate\",\"text\":\"\xFF\"}"));
  EXPECT_FALSE(encode(Error{1, ErrorCode::kRate, "\xFF"}).empty());
}

TEST(Signatures, CoverContextNonceAndServer) {
  const Buffer nonce{1, 2};
  const Buffer key{3};
  EXPECT_EQ(to_hex(hello_signature_input(nonce, key)),
            to_hex(as_bytes("hearthcast rendezvous 1")) + "00" + "010203");
}

TEST(Signatures, OfTheAllowListDoNotDependOnItsOrder) {
  const Allow one{{id_of(1), id_of(2)}, 5, {}};
  const Allow other{{id_of(2), id_of(1)}, 5, {}};
  EXPECT_EQ(allow_signature_input(one), allow_signature_input(other));
  EXPECT_NE(allow_signature_input(one), allow_signature_input(Allow{{id_of(1), id_of(2)}, 6, {}}));
  EXPECT_NE(allow_signature_input(one), allow_signature_input(Allow{{id_of(1)}, 5, {}}));
}

TEST(MessageCodec, ATokenAndAWaitAreBounded) {
  Hello hello{Role::kBox, kKey, kSignature, "", std::string(kMaxEnrolment, 'x')};
  EXPECT_EQ(std::get<Hello>(*decode_message(encode(hello))).enrolment.size(), kMaxEnrolment);
  hello.enrolment += 'x';
  EXPECT_EQ(std::get<Hello>(*decode_message(encode(hello))).enrolment, "") << "it is as if there was none";
  EXPECT_EQ(encode(Hello{Role::kBox, kKey, kSignature, "", ""}).find("enrolment"), std::string::npos);
  EXPECT_EQ(std::get<Error>(*decode_message(R"({"type":"error","code":"draining","retry_s":3600})")).retry_s,
            3600U);
  EXPECT_FALSE(
      std::get<Error>(*decode_message(R"({"type":"error","code":"draining","retry_s":3601})")).retry_s);
}

TEST(MessageCodec, AServersWordsCannotActOnATerminal) {
  const auto error =
      decode_message(R"({"type":"error","code":"closed","text":"\u001b[2J\u0007a\u007fb\nc ü"})");
  ASSERT_TRUE(error);
  EXPECT_EQ(std::get<Error>(*error).text, " [2J a b c ü");
}

}  // namespace
}  // namespace hearthcast::signalling
