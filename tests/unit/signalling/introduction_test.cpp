#include "tunnelmgr/signalling/introduction.hpp"

#include <gmock/gmock.h>

#include "tunnelmgr/secure/identity.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::signalling {
namespace {

using namespace std::chrono_literals;

IntroducedCandidate host(const char* endpoint) { return {CandidateType::kHost, *Endpoint::parse(endpoint)}; }
IntroducedCandidate srflx(const char* endpoint) {
  return {CandidateType::kServerReflexive, *Endpoint::parse(endpoint)};
}
IntroducedCandidate relay(const char* endpoint) {
  return {CandidateType::kRelayed, *Endpoint::parse(endpoint)};
}

class IntroductionTest : public testing::Test {
 protected:
  Introduction ask() {
    Introduction i;
    i.from = device.id();
    i.to = box.id();
    random.fill(i.nonce);
    i.freshness = {1, 42};
    i.candidates = {host("192.168.1.2:4755"), srflx("203.0.113.9:50000"), host("[2001:db8::2]:4755"),
                    relay("203.0.113.10:49160")};
    return i;
  }
  secure::OpenSslCrypto crypto;
  secure::OpenSslRandom random;
  secure::OpenSslIdentity device = secure::make_identity();
  secure::OpenSslIdentity box = secure::make_identity();
  secure::OpenSslIdentity stranger = secure::make_identity();
};

TEST_F(IntroductionTest, TheRelayPolicyTravelsUnlessItIsTheUsualOne) {
  auto answer = ask();
  const auto text = [&] {
    const auto octets = encode_introduction(answer);
    return std::string(as_text(octets));
  };
  EXPECT_THAT(text(), testing::Not(testing::HasSubstr("\"relay\":")));
  for (const auto policy : {RelayPolicy::kNever, RelayPolicy::kAlways, RelayPolicy::kAuto}) {
    answer.relay = policy;
    EXPECT_EQ(*decode_introduction(as_bytes(text())), answer);
  }
  answer.relay = RelayPolicy::kNever;
  auto later = text();
  later.replace(later.find("never"), 5, "rarely");
  EXPECT_EQ(decode_introduction(as_bytes(later))->relay, RelayPolicy::kAuto) << "a word of a later version";
}

TEST_F(IntroductionTest, ARelayedAddressIsPublicLikeAMappedOne) {
  EXPECT_EQ(usable_candidates({relay("203.0.113.10:49160")}).size(), 1U);
  EXPECT_TRUE(
      usable_candidates({relay("127.0.0.1:49160"), relay("203.0.113.10:0"), relay("[ff02::1]:1")}).empty());
}

TEST_F(IntroductionTest, OpensWhatWasSealed) {
  const Introduction asked = ask();
  const Sealed sealed = seal(device, asked);
  const auto opened = open(crypto, device.public_key(), box.id(), sealed.payload, sealed.signature);
  ASSERT_TRUE(opened);
  EXPECT_EQ(*opened, asked);

  Introduction answer = ask();
  answer.answers = asked.nonce;
  answer.candidates.clear();
  answer.refusal = IntroductionRefusal{IntroductionRefusalCode::kStale, "old", Freshness{2, 7}};
  EXPECT_EQ(*decode_introduction(encode_introduction(answer)), answer);
  for (const auto code : {IntroductionRefusalCode::kNotPaired, IntroductionRefusalCode::kRevoked,
                          IntroductionRefusalCode::kBusy}) {
    answer.refusal = IntroductionRefusal{code, "", std::nullopt};
    EXPECT_EQ(*decode_introduction(encode_introduction(answer)), answer);
  }
}

TEST_F(IntroductionTest, ARendezvousCannotChangeOrSwapAnything) {
  const Sealed sealed = seal(device, ask());
  Sealed changed = sealed;
  changed.payload[10] ^= 1;
  EXPECT_EQ(open(crypto, device.public_key(), box.id(), changed.payload, changed.signature).error(),
            OpenError::kBadSignature);
  EXPECT_EQ(open(crypto, stranger.public_key(), box.id(), sealed.payload, sealed.signature).error(),
            OpenError::kBadSignature);
  EXPECT_EQ(open(crypto, device.public_key(), box.id(), sealed.payload, {}).error(),
            OpenError::kBadSignature);
  EXPECT_EQ(open(crypto, {}, box.id(), sealed.payload, sealed.signature).error(), OpenError::kBadSignature);
  // Signed by a stranger that claims to be the device.
  const Sealed forged = seal(stranger, ask());
  EXPECT_EQ(open(crypto, stranger.public_key(), box.id(), forged.payload, forged.signature).error(),
            OpenError::kWrongSender);
  // Delivered to another box than the one it was made for.
  EXPECT_EQ(open(crypto, device.public_key(), stranger.id(), sealed.payload, sealed.signature).error(),
            OpenError::kWrongReceiver);
  // A signature of the same key made for another purpose.
  const Buffer bare_signature = device.sign(sealed.payload);
  EXPECT_EQ(open(crypto, device.public_key(), box.id(), sealed.payload, bare_signature).error(),
            OpenError::kBadSignature);
}

TEST_F(IntroductionTest, SignedNonsenseIsMalformed) {
  const std::string text = std::string("hearthcast introduction 1") + '\0' + "{}";
  const Buffer signature = device.sign(as_bytes(text));
  EXPECT_EQ(open(crypto, device.public_key(), box.id(), as_bytes("{}"), signature).error(),
            OpenError::kMalformed);
}

TEST_F(IntroductionTest, EveryPrefixAndMissingMemberIsRefused) {
  const Buffer whole = encode_introduction(ask());
  for (std::size_t n = 0; n < whole.size(); ++n) {
    EXPECT_FALSE(decode_introduction(Bytes(whole).first(n))) << n;
  }
  const std::string text(as_text(whole));
  for (const std::string name : {"from", "to", "nonce", "counter", "generation", "candidates"}) {
    std::string renamed = text;
    renamed.insert(renamed.find('"' + name + '"') + 1, "x");
    EXPECT_FALSE(decode_introduction(as_bytes(renamed))) << name;
  }
}

TEST_F(IntroductionTest, LimitsAndUnknownKindsOfCandidates) {
  Introduction many = ask();
  many.candidates.assign(2 * kMaxCandidatesPerFamily, host("10.0.0.1:1"));
  EXPECT_TRUE(decode_introduction(encode_introduction(many)));
  many.candidates.push_back(host("10.0.0.1:1"));
  EXPECT_FALSE(decode_introduction(encode_introduction(many)));
  std::string text(as_text(encode_introduction(ask())));
  text.replace(text.find("srflx"), 5, "later");
  EXPECT_EQ(decode_introduction(as_bytes(text))->candidates.size(), 3U);
  text.replace(text.find("203.0.113.9"), 11, "203.0.113.x");
  EXPECT_FALSE(decode_introduction(as_bytes(text)));
  Introduction asking_with_refusal = ask();
  asking_with_refusal.refusal = IntroductionRefusal{};
  EXPECT_FALSE(decode_introduction(encode_introduction(asking_with_refusal)));
}

TEST(Candidates, OnlyThoseThatAPeerMayMakeUsProbe) {
  const std::vector<IntroducedCandidate> offered = {
      host("127.0.0.1:1"), host("0.0.0.0:1"),       host("224.1.1.1:1"),    host("169.254.1.1:1"),
      host("8.8.8.8:1"),   srflx("127.0.0.1:1"),    srflx("239.1.1.1:1"),   host("[::1]:1"),
      host("[fe80::1]:1"), host("[ff02::1]:1"),     srflx("203.0.113.9:0"), host("10.1.1.1:1"),
      srflx("8.8.8.8:5"),  host("[2001:db8::1]:1"), host("[fd00::1]:1"),    host("10.1.1.1:1"),
  };
  EXPECT_THAT(usable_candidates(offered), testing::ElementsAre(host("10.1.1.1:1"), srflx("8.8.8.8:5"),
                                                               host("[2001:db8::1]:1"), host("[fd00::1]:1")));
}

TEST(Candidates, AtMostEightPerFamily) {
  std::vector<IntroducedCandidate> offered;
  for (std::uint16_t port = 1; port <= 12; ++port) {
    offered.push_back({CandidateType::kHost, {*IpAddress::parse("10.0.0.1"), port}});
    offered.push_back({CandidateType::kHost, {*IpAddress::parse("fd00::1"), port}});
  }
  EXPECT_EQ(usable_candidates(offered).size(), 16U);
}

TEST(FreshnessTest, AGenerationOutranksCounters) {
  EXPECT_LT((Freshness{1, 5}), (Freshness{1, 6}));
  EXPECT_LT((Freshness{1, 500}), (Freshness{2, 0}));
  EXPECT_FALSE((Freshness{1, 5}) < (Freshness{1, 5}));
}

TEST(PendingNoncesTest, CountOnceAndForThirtySeconds) {
  secure::OpenSslRandom random;
  PendingNonces nonces;
  const Time t0{};
  const auto first = nonces.draw(random, t0);
  const auto second = nonces.draw(random, t0);
  EXPECT_TRUE(nonces.redeem(first, t0 + 30s));
  EXPECT_FALSE(nonces.redeem(first, t0 + 30s));
  EXPECT_FALSE(nonces.redeem(second, t0 + 31s));
  EXPECT_FALSE(nonces.redeem(IntroductionNonce{}, t0));
}

TEST(PendingNoncesTest, ForgetTheOldestWhenThereAreTooMany) {
  secure::OpenSslRandom random;
  PendingNonces nonces;
  const Time t0{};
  const auto first = nonces.draw(random, t0);
  for (int i = 1; i < 100; ++i) {
    (void)nonces.draw(random, t0 + i * 1ms);
  }
  EXPECT_FALSE(nonces.redeem(first, t0 + 200ms));
  EXPECT_TRUE(nonces.redeem(nonces.draw(random, t0 + 200ms), t0 + 201ms));
}

}  // namespace
}  // namespace hearthcast::signalling
