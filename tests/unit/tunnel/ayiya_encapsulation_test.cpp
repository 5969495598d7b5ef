#include "tunnelmgr/tunnel/ayiya_encapsulation.hpp"

#include "tests/unit/tunnel/foreign_packets.hpp"

namespace hearthcast::tunnel {
namespace {

using namespace std::chrono_literals;
using wire::AyiyaHash;
using wire::AyiyaOpcode;

constexpr AyiyaHash kAll[] = {AyiyaHash::kSha1, AyiyaHash::kSha256, AyiyaHash::kHmacSha256};

TEST(AyiyaEncapsulation, HasTheOctetsOfTheDeployedProfile) {
  const auto peer = ayiya_end(AyiyaHash::kSha1, false);
  EXPECT_EQ(to_hex(Bytes(sealed(*peer, kInner6)).first(44)),
            "41521129"
            "6553f100"
            "20010db8000000000000000000000002"
            "3e4dbc46d3b01890992e63b1ad605f3bb9048293");
  EXPECT_EQ(to_hex(*peer->signal(AyiyaOpcode::kNothing, {}, moment())),
            "4152103b"
            "6553f100"
            "20010db8000000000000000000000002"
            "4cb1502a94426bf9828d453ff1c7a16ad038a682");
}

TEST(AyiyaEncapsulation, NamesHardenedSendersByHalfAnAddressAndANumber) {
  const auto peer = ayiya_end(AyiyaHash::kHmacSha256, false);
  EXPECT_EQ(to_hex(Bytes(sealed(*peer, kInner6)).first(24)),
            "418511296553f10000000000000000026553f10000000000");
  EXPECT_EQ(to_hex(Bytes(sealed(*peer, kInner6)).first(24)),
            "418511296553f10000000000000000026553f10000000001");
  EXPECT_EQ(to_hex(Bytes(sealed(*peer, kInner6, moment(1s))).first(24)),
            "418511296553f10100000000000000026553f10100000000");
}

TEST(AyiyaEncapsulation, AcceptsEachPacketOnce) {
  for (const AyiyaHash hash : kAll) {
    const auto box = ayiya_end(hash, true);
    const auto peer = ayiya_end(hash, false);
    const Buffer packet = sealed(*peer, kInner6);
    EXPECT_TRUE(box->open(packet, moment()));
    EXPECT_EQ(box->open(packet, moment()).error(), Drop::kReplay);
    EXPECT_EQ(box->open(packet, moment(59s)).error(), Drop::kReplay);
    EXPECT_EQ(box->open(packet, moment(61s)).error(), Drop::kTime) << "too old before it is forgotten";
  }
}

TEST(AyiyaEncapsulation, RemembersForAsLongAsAStampFromTheFutureIsGood) {
  const auto box = ayiya_end(AyiyaHash::kSha1, true);
  const Buffer ahead = sealed(*ayiya_end(AyiyaHash::kSha1, false), kInner6, moment(60s));
  EXPECT_TRUE(box->open(ahead, moment()));
  EXPECT_EQ(box->open(ahead, moment(120s)).error(), Drop::kReplay);
  EXPECT_EQ(box->open(ahead, moment(122s)).error(), Drop::kTime);
}

TEST(AyiyaEncapsulation, TellsTwoEqualHardenedPacketsApart) {
  const auto box = ayiya_end(AyiyaHash::kHmacSha256, true);
  const auto peer = ayiya_end(AyiyaHash::kHmacSha256, false);
  EXPECT_TRUE(box->open(sealed(*peer, kInner6), moment()));
  EXPECT_TRUE(box->open(sealed(*peer, kInner6), moment()));
}

TEST(AyiyaEncapsulation, WantsClocksThatAgree) {
  for (const AyiyaHash hash : kAll) {
    const auto box = ayiya_end(hash, true);
    const auto peer = ayiya_end(hash, false);
    const auto opened = [&](Moment sent) { return box->open(sealed(*peer, kInner6, sent), moment(300s)); };
    EXPECT_TRUE(opened(moment(240s)));
    EXPECT_TRUE(opened(moment(360s)));
    EXPECT_EQ(opened(moment(239s)).error(), Drop::kTime);
    EXPECT_EQ(opened(moment(361s)).error(), Drop::kTime);
  }
}

TEST(AyiyaEncapsulation, ComparesTheTimeModuloTwoToThe32) {
  const auto box = ayiya_end(AyiyaHash::kSha1, true);
  const Buffer before = sealed(*ayiya_end(AyiyaHash::kSha1, false), kInner6, {moment().now, 0xFFFFFFF0});
  EXPECT_TRUE(box->open(before, {moment().now, 10}));
}

TEST(AyiyaEncapsulation, RefusesForgeriesAndOtherSenders) {
  for (const AyiyaHash hash : kAll) {
    const auto box = ayiya_end(hash, true);
    const Buffer right = sealed(*ayiya_end(hash, false), kInner6);
    for (std::size_t at = 0; at < right.size(); ++at) {
      Buffer wrong = right;
      wrong[at] ^= 0x10;
      EXPECT_FALSE(box->open(wrong, moment())) << at;
    }
    EXPECT_EQ(box->open(sealed(*ayiya_end(hash, true), kInner6), moment()).error(), Drop::kSource)
        << "its own packets, sent back to it";
    auto other = ayiya(hash, false);
    other.secret.back() ^= 1;
    EXPECT_EQ(
        box->open(sealed(*std::make_unique<AyiyaEncapsulation>(other, kHashes), kInner6), moment()).error(),
        Drop::kSignature);
    EXPECT_TRUE(box->open(right, moment())) << "what was refused before is not remembered";
  }
}

TEST(AyiyaEncapsulation, TellsSignalsFromPackets) {
  const auto box = ayiya_end(AyiyaHash::kHmacSha256, true);
  const auto peer = ayiya_end(AyiyaHash::kHmacSha256, false);
  const auto opened = [&](AyiyaOpcode opcode, Bytes payload) {
    const Buffer datagram = *peer->signal(opcode, payload, moment());
    const auto result = box->open(datagram, moment());
    return result ? Result<std::pair<Opened::Kind, Buffer>, Drop>(
                        std::pair(result->kind, Buffer(result->payload.begin(), result->payload.end())))
                  : result.error();
  };
  EXPECT_EQ(opened(AyiyaOpcode::kNothing, {})->first, Opened::Kind::kAlive);
  EXPECT_EQ(*opened(AyiyaOpcode::kEchoRequest, hex("0102")),
            std::pair(Opened::Kind::kEchoRequest, hex("0102")));
  EXPECT_EQ(*opened(AyiyaOpcode::kEchoResponse, hex("03")),
            std::pair(Opened::Kind::kEchoResponse, hex("03")));
  EXPECT_EQ(opened(AyiyaOpcode::kMessageOfTheDay, hex("30")).error(), Drop::kUnwanted);
  EXPECT_EQ(opened(AyiyaOpcode::kQueryRequest, hex("30")).error(), Drop::kUnwanted);
  EXPECT_EQ(opened(AyiyaOpcode::kForward, {}).error(), Drop::kMalformed) << "nothing to forward";
  EXPECT_EQ(opened(AyiyaOpcode::kForward, kInner6).error(), Drop::kMalformed) << "no next header";
}

TEST(AyiyaEncapsulation, FindsThePeerByItsName) {
  for (const AyiyaHash hash : kAll) {
    const Buffer packet = sealed(*ayiya_end(hash, false), kInner6);
    EXPECT_TRUE(names_ayiya_peer(ayiya(hash, true), packet));
    EXPECT_FALSE(names_ayiya_peer(ayiya(hash, false), packet));
    EXPECT_FALSE(names_ayiya_peer(ayiya(hash, true), hex("4152")));
  }
}

TEST(ReplayCache, ForgetsWhatIsOldAndTakesNothingWhenItIsFull) {
  ReplayCache cache(1s);
  const Time start{1h};
  Buffer tag(16);
  const auto numbered = [&](std::size_t number) {
    tag[0] = static_cast<std::uint8_t>(number);
    tag[1] = static_cast<std::uint8_t>(number >> 8);
    return Bytes(tag);
  };
  for (std::size_t i = 0; i < ReplayCache::kCapacity; ++i) {
    ASSERT_TRUE(cache.take(numbered(i), start));
  }
  EXPECT_FALSE(cache.take(numbered(ReplayCache::kCapacity), start + 1s)) << "full";
  EXPECT_TRUE(cache.take(numbered(ReplayCache::kCapacity), start + 1001ms));
  EXPECT_EQ(cache.size(), 1U);
  EXPECT_TRUE(cache.take(numbered(3), start + 1001ms)) << "long forgotten";
}

}  // namespace
}  // namespace hearthcast::tunnel
