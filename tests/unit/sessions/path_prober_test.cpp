#include "appliance/sessions/path_prober.hpp"

#include <gmock/gmock.h>

#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/tunnel/inner_packet.hpp"
#include "tunnelmgr/tunnel/path_probe.hpp"

namespace hearthcast::sessions {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::size_t kSeal = 37;
const Endpoint kPath4 = *Endpoint::parse("192.0.2.1:5000");
const Endpoint kPath6 = *Endpoint::parse("[2001:db8::1]:5000");

class PathProberTest : public testing::Test {
 protected:
  // Keeps what is sent, and the last limit.
  void take(const PathProberActions& actions) {
    for (const auto& action : actions) {
      if (const auto* inner = std::get_if<SendInner>(&action)) {
        sent_.push_back(inner->gre);
      } else {
        limits_.push_back(std::get<LimitFrames>(action).octets);
      }
    }
  }
  void facts(PathFacts facts) { take(prober_.update(facts, now_)); }
  // The device answers what reaches it over a path that carries IP packets of `mtu`.
  void answer(std::size_t mtu, std::size_t headers) {
    for (const auto& gre : std::exchange(sent_, {})) {
      const auto probe = tunnel::decode_path_probe(Bytes(gre).subspan(4));
      ASSERT_TRUE(probe);
      const std::size_t size = gre.size() + kSeal + headers;
      EXPECT_EQ(size, probe->size) << "it is as large on the wire as it says";
      if (size <= mtu) {
        const auto reply =
            tunnel::encode(tunnel::PathProbe{true, probe->nonce, probe->size, probe->path_mtu});
        const auto done = prober_.on_inner(reply, now_);
        ASSERT_TRUE(done);
        take(*done);
      }
    }
  }

  Time now_{1h};
  PathProber prober_{kSeal};
  std::vector<Buffer> sent_;
  std::vector<std::size_t> limits_;
};

TEST_F(PathProberTest, ADeviceThatCanNeitherIsLeftAlone) {
  facts({.compact = false, .probe = false, .path = kPath4, .watching = true});
  EXPECT_THAT(sent_, IsEmpty());
  EXPECT_THAT(limits_, IsEmpty()) << "everything in full";
  EXPECT_EQ(prober_.next_deadline(), kNever);
}

TEST_F(PathProberTest, BeginsWithWhatFitsAnyPathAndFollowsTheProbes) {
  facts({.compact = true, .probe = true, .path = kPath4, .watching = false});
  EXPECT_THAT(limits_, ElementsAre(1200 - 28 - kSeal));
  EXPECT_FALSE(prober_.path_mtu());
  answer(1492, 28);
  EXPECT_EQ(limits_.back(), 1492 - 28 - kSeal);
  EXPECT_EQ(prober_.path_mtu(), 1492);
}

TEST_F(PathProberTest, Ip6HeadersAreTwentyOctetsLarger) {
  facts({.compact = true, .probe = true, .path = kPath6, .watching = false});
  EXPECT_THAT(limits_, testing::Each(1280 - 48 - kSeal));
  answer(1500, 48);
  EXPECT_EQ(limits_.back(), 1500 - 48 - kSeal);
}

TEST_F(PathProberTest, TheSameFactsAgainChangeNothing) {
  const PathFacts same{.compact = true, .probe = true, .path = kPath4, .watching = true};
  facts(same);
  answer(1500, 28);
  answer(1500, 28);
  limits_.clear();
  for (int n = 0; n < 100; ++n) {
    facts(same);
  }
  EXPECT_THAT(sent_, IsEmpty());
  EXPECT_THAT(limits_, IsEmpty());
}

TEST_F(PathProberTest, AnotherPathBeginsAnew) {
  facts({.compact = true, .probe = true, .path = kPath4, .watching = false});
  answer(1500, 28);
  sent_.clear();
  facts({.compact = true, .probe = true, .path = kPath6, .watching = false});
  EXPECT_EQ(limits_.back(), 1280 - 48 - kSeal);
  EXPECT_FALSE(prober_.path_mtu());
  answer(1428, 48);
  EXPECT_EQ(limits_.back(), 1428 - 48 - kSeal);
}

TEST_F(PathProberTest, ADeviceThatOnlyTakesCompactMediaStaysAtTheBase) {
  facts({.compact = true, .probe = false, .path = kPath4, .watching = true});
  EXPECT_THAT(limits_, ElementsAre(1200 - 28 - kSeal));
  EXPECT_THAT(sent_, IsEmpty());
}

TEST_F(PathProberTest, ADeviceThatOnlyAnswersProbesIsMeasuredButNotLimited) {
  facts({.compact = false, .probe = true, .path = kPath4, .watching = false});
  answer(1428, 28);
  EXPECT_THAT(limits_, IsEmpty());
  EXPECT_EQ(prober_.path_mtu(), 1428);
}

TEST_F(PathProberTest, WhatTheSystemRefusesLowersTheLimitAtOnce) {
  facts({.compact = true, .probe = true, .path = kPath4, .watching = true});
  answer(1500, 28);
  sent_.clear();
  take(prober_.on_refused(1470, now_));
  EXPECT_EQ(limits_.back(), 1200 - 28 - kSeal);
  answer(1454, 28);
  EXPECT_EQ(limits_.back(), 1428 - 28 - kSeal);
  limits_.clear();
  take(prober_.on_refused(60'000, now_));
  EXPECT_THAT(limits_, IsEmpty()) << "nothing that a path carries";
}

TEST_F(PathProberTest, AShrunkenPathIsLeftWhileSomebodyWatches) {
  facts({.compact = true, .probe = true, .path = kPath4, .watching = true});
  answer(1500, 28);
  const Time end = now_ + 4s;
  while (prober_.next_deadline() < end) {
    now_ = prober_.next_deadline();
    take(prober_.on_deadline(now_));
    answer(1428, 28);
  }
  EXPECT_EQ(limits_.back(), 1428 - 28 - kSeal);
  EXPECT_EQ(prober_.size().black_holes(), 1U);
}

TEST_F(PathProberTest, TheProbesOfADeviceAreAnswered) {
  const auto done = prober_.on_inner(tunnel::encode(tunnel::PathProbe{false, 9, 1400, 1300}, 1300), now_);
  ASSERT_TRUE(done);
  take(*done);
  ASSERT_EQ(sent_.size(), 1U);
  EXPECT_EQ(tunnel::decode_path_probe(Bytes(sent_[0]).subspan(4)), (tunnel::PathProbe{true, 9, 1400, 1300}));
  EXPECT_LT(sent_[0].size(), 20U) << "no larger than what was asked";
}

TEST_F(PathProberTest, OtherPacketsAreNotItsOwn) {
  EXPECT_FALSE(prober_.on_inner(*from_hex("000088b50101000000010000"), now_));
  EXPECT_FALSE(prober_.on_inner(*from_hex("000086dd6000"), now_));
  EXPECT_FALSE(prober_.on_inner(*from_hex("00"), now_));
}

}  // namespace
}  // namespace hearthcast::sessions
