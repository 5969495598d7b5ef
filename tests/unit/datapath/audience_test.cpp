// Players on real sockets, without a thread: what a ring holds is written to each as far as it reads.
#include "tunnelmgr/datapath/audience.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/datapath/screen.hpp"
#include "tunnelmgr/playout/catch_up.hpp"

namespace hearthcast::datapath {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

std::string text(Bytes octets) { return std::string(as_text(octets)); }

class AudienceTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kToken = 1000;

  void add(int player, Screen& screen, std::optional<std::uint64_t> paced_at = std::nullopt,
           std::uint64_t start = 0) {
    ASSERT_TRUE(audience.add(PlayerId{player}, screen.socket(), start, paced_at, now));
  }
  void append(const std::string& text) { ring.append(as_bytes(text)); }
  // What the loop does with events that are there now.
  void turn() {
    for (const auto& event : epoll.wait(Time{})) {
      audience.on_event(PlayerId{static_cast<std::int64_t>(event.token - kToken)}, event, ring, now);
    }
  }
  [[nodiscard]] PlayerState state(int player) const {
    return audience.players().at(PlayerId{player}).state();
  }

  Time now{1h};
  linux::Epoll epoll;
  playout::Ring ring{std::size_t{1} << 20};
  std::vector<std::string> gone;
  Audience audience{epoll, kToken, [this](PlayerId player, PlayerEnd end, std::uint64_t bytes) {
                      gone.push_back(std::to_string(player.value) + " " +
                                     std::to_string(static_cast<int>(end)) + " " + std::to_string(bytes));
                    }};
};

TEST_F(AudienceTest, EachGetsTheStreamFromItsOwnPlace) {
  Screen one;
  Screen two;
  append("abcdef");
  add(1, one);
  add(2, two, std::nullopt, 4);
  EXPECT_EQ(text(one.read_now()), "") << "nothing before it is asked for";
  audience.write(ring, now);
  EXPECT_EQ(text(one.read_now()), "abcdef");
  EXPECT_EQ(text(two.read_now()), "ef");
  append("gh");
  audience.write(ring, now);
  EXPECT_EQ(text(one.read_now()) + text(two.read_now()), "ghgh");
  EXPECT_EQ(audience.players().at(PlayerId{2}).bytes(), 4U);
}

TEST_F(AudienceTest, WhoClosesIsSaidOnceAndTheOthersGoOn) {
  Screen one;
  Screen two;
  add(1, one);
  add(2, two);
  append("abc");
  audience.write(ring, now);
  one.close();
  turn();
  EXPECT_THAT(gone, ElementsAre("1 0 3"));
  turn();
  append("d");
  audience.write(ring, now);
  EXPECT_EQ(text(two.read_now()), "abcd");
  EXPECT_THAT(gone, ElementsAre("1 0 3"));
}

TEST_F(AudienceTest, WhatPlayersSayIsNoise) {
  Screen one;
  add(1, one);
  one.say();
  turn();
  append("abc");
  audience.write(ring, now);
  EXPECT_EQ(text(one.read_now()), "abc");
  EXPECT_THAT(gone, IsEmpty());
}

TEST_F(AudienceTest, AFullSocketWaitsForItsReaderAndLosesNothing) {
  Screen slow;
  add(1, slow);
  std::string sent;
  while (audience.players().begin()->second.state() != PlayerState::kBlocked) {
    const std::string part(10'000, static_cast<char>('a' + sent.size() / 10'000 % 26));
    sent += part;
    append(part);
    audience.write(ring, now);
    ASSERT_LT(sent.size(), std::size_t{1} << 20) << "the kernel takes it all";
  }
  std::string got;
  for (int n = 0; n < 100 && got.size() < sent.size(); ++n) {
    got += text(slow.read_now());
    turn();
  }
  got += text(slow.read_now());
  EXPECT_EQ(got, sent);
  EXPECT_EQ(state(1), PlayerState::kReady);
}

TEST_F(AudienceTest, WhoIsFullIsNotTriedAgainByEveryWrite) {
  Screen slow;
  add(1, slow);
  while (state(1) != PlayerState::kBlocked) {
    append(std::string(10'000, 'x'));
    audience.write(ring, now);
  }
  const auto before = audience.players().at(PlayerId{1}).bytes();
  (void)slow.read_now();
  append("y");
  audience.write(ring, now);
  EXPECT_EQ(audience.players().at(PlayerId{1}).bytes(), before) << "its own event does that";
  turn();
  EXPECT_GT(audience.players().at(PlayerId{1}).bytes(), before);
}

TEST_F(AudienceTest, WhoStopsReadingIsDroppedAfterTenSeconds) {
  Screen lazy;
  add(1, lazy);
  while (state(1) != PlayerState::kBlocked) {
    append(std::string(10'000, 'x'));
    audience.write(ring, now);
  }
  now += 9s;
  audience.retry(ring, now);
  EXPECT_THAT(gone, IsEmpty());
  now += 1s;
  audience.retry(ring, now);
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(gone[0].substr(0, 3), "1 1");
  EXPECT_TRUE(lazy.ended());
}

TEST_F(AudienceTest, WhoseStreamIsOverwrittenIsDroppedAtOnce) {
  Screen lazy;
  add(1, lazy);
  for (int n = 0; n < 300 && gone.empty(); ++n) {
    append(std::string(10'000, 'x'));
    audience.retry(ring, now);
  }
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(gone[0].substr(0, 3), "1 1");
}

TEST_F(AudienceTest, APacedPlayerFollowsTheLiveStreamAndCatchesUp) {
  Screen fast;
  append(std::string(800'000, 'p'));
  add(1, fast, ring.end());
  audience.write(ring, now);
  std::size_t got = 0;
  const auto drain = [&] {
    for (int n = 0; n < 50; ++n) {
      got += fast.read_now().size();
      turn();
    }
  };
  drain();
  EXPECT_EQ(got, playout::kFirstPiece);
  for (int n = 0; n < 40; ++n) {
    const auto before = got;
    append(std::string(20'000, 'l'));
    audience.write(ring, now);
    drain();
    EXPECT_LE(got - before, 40'000U);
  }
  EXPECT_EQ(got, ring.end()) << "caught up";
  append(std::string(100'000, 'l'));
  audience.write(ring, now);
  drain();
  EXPECT_EQ(got, ring.end()) << "and not paced any more";
}

TEST_F(AudienceTest, RemovingAndClosingEndSockets) {
  Screen one;
  Screen two;
  Screen three;
  add(1, one);
  add(2, two);
  add(3, three);
  audience.remove(PlayerId{2});
  audience.remove(PlayerId{9});
  EXPECT_THAT(gone, ElementsAre("2 2 0"));
  EXPECT_TRUE(two.ended());
  audience.close();
  EXPECT_THAT(gone, ElementsAre("2 2 0", "1 2 0", "3 2 0"));
  EXPECT_TRUE(audience.empty());
  EXPECT_TRUE(one.ended());
}

TEST_F(AudienceTest, ADescriptorThatCannotBeWatchedIsNoPlayer) {
  EXPECT_FALSE(audience.add(PlayerId{1}, linux::Fd(), 0, std::nullopt, now));
  EXPECT_TRUE(audience.empty());
  EXPECT_THAT(gone, IsEmpty());
}

}  // namespace
}  // namespace hearthcast::datapath
