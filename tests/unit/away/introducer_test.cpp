#include "tunnelmgr/away/introducer.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tunnelmgr/secure/identity.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::away {
namespace {

using namespace std::chrono_literals;

const Time t0 = Time{} + 1h;

class IntroducerTest : public testing::Test {
 protected:
  // The next introduction, opened as the box does it.
  std::optional<signalling::Introduction> ask() {
    while (introducer_.next_deadline() != kNever) {
      now_ = std::max(now_, introducer_.next_deadline());
      if (const auto sealed = introducer_.on_deadline(memory_, now_)) {
        auto opened =
            signalling::open(crypto_, laptop_.public_key(), home_.id(), sealed->payload, sealed->signature);
        return opened ? std::optional(*opened) : std::nullopt;
      }
    }
    return std::nullopt;
  }
  signalling::IntroductionAnswered answer(const signalling::Introduction& asked, std::uint64_t counter,
                                          const Identity& by) {
    signalling::Introduction reply;
    reply.from = by.id();
    reply.to = laptop_.id();
    reply.nonce[0] = 1;
    reply.answers = asked.nonce;
    reply.freshness = {0, counter};
    reply.candidates = {{signalling::CandidateType::kServerReflexive, *Endpoint::parse("198.51.100.1:4755")},
                        {signalling::CandidateType::kHost, *Endpoint::parse("127.0.0.1:4755")},
                        {signalling::CandidateType::kHost, *Endpoint::parse("192.168.1.2:4755")}};
    return {1, signalling::seal(by, reply), {}};
  }

  std::vector<nat::Candidate> hint(std::vector<Endpoint> endpoints) {
    return introducer_.on_moved({home_.id(), std::move(endpoints)}, answers_, now_);
  }

  std::set<Endpoint> answering_;
  std::function<bool(const Endpoint&)> answers_ = [this](const Endpoint& at) {
    return answering_.contains(at);
  };
  secure::OpenSslCrypto crypto_;
  secure::OpenSslRandom random_;
  secure::OpenSslIdentity home_ = secure::make_identity();
  secure::OpenSslIdentity laptop_ = secure::make_identity();
  Introducer introducer_{crypto_, random_, laptop_,
                         Buffer(home_.public_key().begin(), home_.public_key().end())};
  Memory memory_;
  Time now_ = t0;
};

TEST_F(IntroducerTest, TheBoxsWordOnRelaysIsKeptOnlyFromASignedAnswer) {
  using signalling::RelayPolicy;
  introducer_.on_joined(true, now_);
  const auto told = [&](RelayPolicy policy, std::uint64_t counter, const Identity& by) {
    const auto asked = ask();
    signalling::Introduction reply;
    reply.from = by.id();
    reply.to = laptop_.id();
    reply.answers = asked->nonce;
    reply.freshness = {0, counter};
    reply.relay = policy;
    (void)introducer_.on_answer({1, signalling::seal(by, reply), {}}, memory_, now_);
    return introducer_.relay_policy();
  };
  EXPECT_EQ(introducer_.relay_policy(), RelayPolicy::kAuto);
  EXPECT_EQ(told(RelayPolicy::kNever, 1, home_), RelayPolicy::kNever);
  EXPECT_EQ(told(RelayPolicy::kAlways, 2, secure::make_identity()), RelayPolicy::kNever);
  EXPECT_EQ(told(RelayPolicy::kAlways, 1, home_), RelayPolicy::kNever) << "an old one";
  EXPECT_EQ(told(RelayPolicy::kAlways, 3, home_), RelayPolicy::kAlways);
  EXPECT_EQ(told(RelayPolicy::kAuto, 4, home_), RelayPolicy::kAuto);
}

TEST_F(IntroducerTest, AsksOnlyWhileKnownThereAndWithoutAPath) {
  EXPECT_EQ(introducer_.next_deadline(), kNever);
  introducer_.on_joined(true, now_);
  EXPECT_LE(introducer_.next_deadline(), now_ + 1s);
  introducer_.on_path(true, now_);
  EXPECT_EQ(introducer_.next_deadline(), kNever);
  introducer_.on_path(false, now_);
  EXPECT_EQ(introducer_.next_deadline(), now_) << "a lost path is urgent";
  introducer_.on_joined(false, now_);
  EXPECT_EQ(introducer_.next_deadline(), kNever);
}

TEST_F(IntroducerTest, CarriesItsCandidatesAndACounterThatGrows) {
  introducer_.on_joined(true, now_);
  introducer_.set_candidates(
      {{signalling::CandidateType::kServerReflexive, *Endpoint::parse("203.0.113.1:40000")}}, now_);
  const auto first = ask();
  const auto second = ask();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->candidates.at(0).endpoint.to_string(), "203.0.113.1:40000");
  EXPECT_GT(second->freshness, first->freshness);
  EXPECT_EQ(memory_.own, second->freshness);
  EXPECT_NE(first->nonce, second->nonce);
}

TEST_F(IntroducerTest, RepeatsWithABackOffUpToAMinute) {
  introducer_.on_joined(true, now_);
  ASSERT_TRUE(ask());
  for (int n = 0; n < 12; ++n) {
    const Time before = now_;
    ASSERT_TRUE(ask());
    EXPECT_GE(now_ - before, 2s);
    EXPECT_LE(now_ - before, 60s);
  }
}

TEST_F(IntroducerTest, TakesOneFreshSignedAnswerAndFiltersIt) {
  introducer_.on_joined(true, now_);
  const auto asked = ask();
  ASSERT_TRUE(asked);
  const auto reply = answer(*asked, 3, home_);
  const auto candidates = introducer_.on_answer(reply, memory_, now_);
  ASSERT_EQ(candidates.size(), 2U) << "a loopback address is no candidate";
  EXPECT_EQ(candidates[0].type, nat::CandidateType::kServerReflexive);
  EXPECT_EQ(memory_.box.counter, 3U);
  EXPECT_TRUE(introducer_.on_answer(reply, memory_, now_).empty()) << "the same again";
  const auto again = ask();
  EXPECT_TRUE(introducer_.on_answer(answer(*again, 3, home_), memory_, now_).empty()) << "an old counter";
  EXPECT_FALSE(introducer_.last_error().empty());
}

TEST_F(IntroducerTest, NeitherAStrangerNorALateAnswerCounts) {
  introducer_.on_joined(true, now_);
  const auto asked = ask();
  const auto stranger = secure::make_identity();
  EXPECT_TRUE(introducer_.on_answer(answer(*asked, 3, stranger), memory_, now_).empty());
  EXPECT_TRUE(introducer_.on_answer(answer(*asked, 3, home_), memory_, now_ + 31s).empty());
  EXPECT_EQ(memory_.box, signalling::Freshness{});
}

TEST_F(IntroducerTest, ARestoredStateCatchesUp) {
  introducer_.on_joined(true, now_);
  const auto asked = ask();
  signalling::Introduction reply;
  reply.from = home_.id();
  reply.to = laptop_.id();
  reply.answers = asked->nonce;
  reply.freshness = {0, 1};
  reply.refusal = signalling::IntroductionRefusal{signalling::IntroductionRefusalCode::kStale, "too old",
                                                  signalling::Freshness{2, 500}};
  EXPECT_TRUE(introducer_.on_answer({1, signalling::seal(home_, reply), {}}, memory_, now_).empty());
  EXPECT_EQ(introducer_.next_deadline(), now_);
  const auto next = ask();
  ASSERT_TRUE(next);
  EXPECT_GT(next->freshness, (signalling::Freshness{2, 500}));
}

TEST_F(IntroducerTest, ADoubtedPathIsReasonEnoughToAsk) {
  introducer_.on_joined(true, now_);
  introducer_.on_path(true, now_);
  introducer_.on_doubt(true, now_);
  EXPECT_EQ(introducer_.next_deadline(), now_);
  ASSERT_TRUE(ask());
  const Time asked = now_;
  ASSERT_TRUE(ask());
  EXPECT_LE(now_ - asked, 1s) << "the box may not have known";
  introducer_.on_doubt(true, now_);
  EXPECT_GT(introducer_.next_deadline(), now_) << "no news";
  introducer_.on_doubt(false, now_);
  EXPECT_EQ(introducer_.next_deadline(), kNever);
}

TEST_F(IntroducerTest, WhoRoamedAsksAsSoonAsItIsKnownThereAgain) {
  introducer_.on_path(true, now_);
  introducer_.on_doubt(true, now_);
  EXPECT_EQ(introducer_.next_deadline(), kNever);
  introducer_.on_joined(true, now_);
  EXPECT_EQ(introducer_.next_deadline(), now_);
  ASSERT_TRUE(ask());
  introducer_.set_candidates(
      {{signalling::CandidateType::kServerReflexive, *Endpoint::parse("203.0.113.1:40000")}}, now_);
  EXPECT_EQ(introducer_.next_deadline(), now_) << "and again when its mapping is another one";
}

TEST_F(IntroducerTest, ADoubtThatLastsIsAskedAboutEverMoreRarely) {
  introducer_.on_path(true, now_);
  introducer_.on_joined(true, now_);
  introducer_.on_doubt(true, now_);
  int asked = 0;
  while (introducer_.next_deadline() <= t0 + 60s) {
    asked += ask() ? 1 : 0;
  }
  EXPECT_GE(asked, 5);
  EXPECT_LE(asked, 10) << "the rendezvous lets thirty through";
}

TEST_F(IntroducerTest, AHintOfTheRendezvousIsFiltered) {
  const auto at = [](const char* text) { return *Endpoint::parse(text); };
  const auto found = hint({at("127.0.0.1:1"), at("192.168.1.1:2"), at("[fe80::1]:3"), at("198.51.100.1:4755"),
                           at("[2001:db8::1]:4755")});
  ASSERT_EQ(found.size(), 2U) << "no neighbour of this device is knocked at because a server says so";
  EXPECT_EQ(found[0], (nat::Candidate{nat::CandidateType::kServerReflexive, at("198.51.100.1:4755")}));
  EXPECT_EQ(found[1].endpoint, at("[2001:db8::1]:4755"));
  EXPECT_TRUE(introducer_.on_moved({laptop_.id(), {at("198.51.100.9:4755")}}, answers_, now_).empty())
      << "another box";
}

// A router that goes down every four seconds: the rendezvous sees it, and the box tells it as well.
TEST_F(IntroducerTest, AMoveThatIsToldTwiceCountsOnce) {
  for (std::uint16_t n = 0; n < 15; ++n) {
    const Endpoint moved{*IpAddress::parse("203.0.113.9"), static_cast<std::uint16_t>(4000 + n)};
    EXPECT_EQ(hint({moved}).size(), 1U) << n;
    now_ += 700ms;
    EXPECT_TRUE(hint({moved}).empty()) << "nothing new";
    now_ += 3300ms;
  }
}

// A router that gives another port every two seconds, and one address of the box that this device never gets
// to.
TEST_F(IntroducerTest, HintsThatWereTrueDoNotCount) {
  const Endpoint deaf = *Endpoint::parse("[2001:db8::9]:4755");
  for (std::uint16_t n = 0; n < 300; ++n) {
    const Endpoint moved{*IpAddress::parse("203.0.113.9"), static_cast<std::uint16_t>(4000 + n)};
    EXPECT_EQ(hint({moved, deaf}).size(), 2U) << n;
    answering_ = {moved};
    now_ += 2s;
  }
}

TEST_F(IntroducerTest, ARendezvousCannotAimADeviceAtOthersForLong) {
  const Endpoint box = *Endpoint::parse("198.51.100.1:4755");
  answering_ = {box};
  const auto taken_in_a_minute = [&](const auto& victim) {
    std::size_t taken = 0;
    for (std::uint16_t n = 0; n < 600; ++n) {
      for (const auto& candidate : hint({victim(n), box})) {
        taken += candidate.endpoint == box ? 0 : 1;
      }
      now_ += 100ms;
    }
    return taken;
  };
  EXPECT_EQ(taken_in_a_minute([](std::uint16_t) { return *Endpoint::parse("203.0.113.99:53"); }), 12U);
  now_ += 1min;
  EXPECT_EQ(taken_in_a_minute([](std::uint16_t n) {
              return Endpoint{IpAddress::ip4(0xcb007100U + n % 100), std::uint16_t(53 + n)};
            }),
            Introducer::kMostVainHints);
  now_ += 1s;
  EXPECT_FALSE(hint({*Endpoint::parse("203.0.113.99:53")}).empty());
}

}  // namespace
}  // namespace hearthcast::away
