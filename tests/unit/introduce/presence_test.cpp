#include "rendezvous-server/introduce/presence.hpp"

#include <gtest/gtest.h>

#include "tunnelmgr/secure/openssl_crypto.hpp"
#include "tunnelmgr/wire/stun.hpp"

namespace hearthcast::rendezvous {
namespace {

class PresenceAnswerTest : public testing::Test {
 protected:
  wire::StunMessage request(std::optional<std::uint16_t> padding = 24) {
    wire::StunMessage m;
    m.transaction.fill(7);
    m.username = "alice";
    m.padding = padding;
    return m;
  }
  std::optional<PresenceAnswer> answer(Bytes datagram) {
    return answer_presence(datagram, from, crypto, [this](const std::string& username) {
      return username == "alice" ? &password : nullptr;
    });
  }
  secure::OpenSslCrypto crypto;
  std::string password = "secret";
  Endpoint from = *Endpoint::parse("[2001:db8::9]:4755");
};

TEST_F(PresenceAnswerTest, TellsTheMappingToWhoKnowsThePassword) {
  const Buffer datagram = wire::encode_stun(request(), crypto, as_bytes(password));
  const auto got = answer(datagram);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->username, "alice");
  const auto decoded = wire::decode_stun(got->datagram);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->message_class, wire::StunClass::kSuccess);
  EXPECT_EQ(decoded->transaction, request().transaction);
  EXPECT_EQ(decoded->xor_mapped_address, from);
  EXPECT_TRUE(wire::check_integrity(got->datagram, crypto, as_bytes(password)));
  EXPECT_LE(got->datagram.size(), datagram.size());
}

TEST_F(PresenceAnswerTest, AnswersAreNeverLargerThanRequests) {
  for (std::uint16_t padding = 0; padding < 64; ++padding) {
    const Buffer datagram = wire::encode_stun(request(padding), crypto, as_bytes(password));
    const auto got = answer(datagram);
    ASSERT_TRUE(got) << padding;
    EXPECT_LE(got->datagram.size(), datagram.size()) << padding;
  }
  // Without padding the answer with an IPv6 address would be larger: the mapping counts, nothing is sent.
  wire::StunMessage bare = request(std::nullopt);
  bare.username = "alice";
  const Buffer datagram = wire::encode_stun(bare, crypto, as_bytes(password));
  const auto got = answer(datagram);
  ASSERT_TRUE(got);
  EXPECT_TRUE(got->datagram.empty());
}

TEST_F(PresenceAnswerTest, EverythingElseGetsNoAnswer) {
  EXPECT_FALSE(answer(wire::encode_stun(request(), crypto, as_bytes("guess"))));
  wire::StunMessage other = request();
  other.username = "bob";
  EXPECT_FALSE(answer(wire::encode_stun(other, crypto, as_bytes(password))));
  EXPECT_FALSE(answer(wire::encode_stun(request())));  // without integrity
  other = request();
  other.username.reset();
  EXPECT_FALSE(answer(wire::encode_stun(other, crypto, as_bytes(password))));
  for (const auto kind : {wire::StunClass::kSuccess, wire::StunClass::kIndication}) {
    other = request();
    other.message_class = kind;
    EXPECT_FALSE(answer(wire::encode_stun(other, crypto, as_bytes(password))));
  }
  EXPECT_FALSE(answer(as_bytes("GET / HTTP/1.1\r\n\r\n")));
  EXPECT_FALSE(answer({}));
}

TEST_F(PresenceAnswerTest, EveryPrefixAndEveryFlippedBitIsDropped) {
  const Buffer datagram = wire::encode_stun(request(), crypto, as_bytes(password));
  for (std::size_t n = 0; n < datagram.size(); ++n) {
    EXPECT_FALSE(answer(Bytes(datagram).first(n))) << n;
    Buffer flipped = datagram;
    flipped[n] ^= 0x10;
    EXPECT_FALSE(answer(flipped)) << n;
  }
}

}  // namespace
}  // namespace hearthcast::rendezvous
