#include "tunnelmgr/tunnel/control_transport.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace hearthcast::tunnel {
namespace {

using namespace std::chrono_literals;

const Time t0 = Time{} + 1h;

std::vector<Buffer> packets(const ControlActions& actions) {
  std::vector<Buffer> result;
  for (const auto& action : actions) {
    if (const auto* send = std::get_if<SendPacket>(&action)) {
      result.push_back(send->gre);
    }
  }
  return result;
}

std::vector<std::string> messages(const ControlActions& actions) {
  std::vector<std::string> result;
  for (const auto& action : actions) {
    if (const auto* received = std::get_if<MessageReceived>(&action)) {
      result.emplace_back(as_text(received->body));
    }
  }
  return result;
}

bool has_lost(const ControlActions& actions) {
  for (const auto& action : actions) {
    if (std::holds_alternative<SessionLost>(action)) {
      return true;
    }
  }
  return false;
}

Bytes payload(const Buffer& gre) { return Bytes(gre).subspan(4); }

// Two transports and a link that loses, repeats and delays, in virtual time.
class Pair {
 public:
  Pair(unsigned seed, double loss, double duplication, std::chrono::milliseconds jitter)
      : random_(seed), loss_(loss), duplication_(duplication), jitter_(jitter) {}

  void send(int side, const std::string& text) { perform(side, side_[side].send(as_bytes(text), now_)); }

  void run(Duration time) {
    const Time end = now_ + time;
    for (;;) {
      Time next = std::min(side_[0].next_deadline(), side_[1].next_deadline());
      if (!link_.empty()) {
        next = std::min(next, link_.begin()->first);
      }
      if (next > end) {
        now_ = end;
        return;
      }
      now_ = std::max(now_, next);
      while (!link_.empty() && link_.begin()->first <= now_) {
        const auto [to, gre] = link_.begin()->second;
        link_.erase(link_.begin());
        perform(to, side_[to].on_packet(payload(gre), now_));
      }
      for (int side = 0; side < 2; ++side) {
        if (side_[side].next_deadline() <= now_) {
          perform(side, side_[side].on_deadline(now_));
        }
      }
    }
  }

  ControlTransport side_[2];
  std::vector<std::string> got_[2];
  bool lost_session_[2] = {false, false};
  std::size_t sent_packets_ = 0;

 private:
  void perform(int side, const ControlActions& actions) {
    for (auto& text : messages(actions)) {
      got_[side].push_back(text);
    }
    lost_session_[side] |= has_lost(actions);
    for (const auto& gre : packets(actions)) {
      ++sent_packets_;
      const int copies = chance_(random_) < duplication_ ? 2 : 1;
      for (int copy = 0; copy < copies; ++copy) {
        if (chance_(random_) < loss_) {
          continue;
        }
        const auto delay =
            20ms + std::chrono::milliseconds(random_() % (static_cast<unsigned>(jitter_.count()) + 1));
        link_.emplace(now_ + delay, std::make_pair(1 - side, gre));
      }
    }
  }

  std::mt19937 random_;
  std::uniform_real_distribution<double> chance_{0.0, 1.0};
  double loss_;
  double duplication_;
  std::chrono::milliseconds jitter_;
  Time now_ = t0;
  std::multimap<Time, std::pair<int, Buffer>> link_;
};

TEST(ControlTransport, DeliversOnceAndBecomesIdle) {
  ControlTransport a;
  ControlTransport b;
  const auto sent = packets(a.send(as_bytes("hello"), t0));
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_FALSE(a.idle());
  const auto first = b.on_packet(payload(sent[0]), t0);
  EXPECT_THAT(messages(first), testing::ElementsAre("hello"));
  const auto again = b.on_packet(payload(sent[0]), t0);
  EXPECT_TRUE(messages(again).empty());
  EXPECT_EQ(packets(again).size(), 1U) << "a repeated fragment is acknowledged again";
  EXPECT_TRUE(a.on_packet(payload(packets(first)[0]), t0).empty());
  EXPECT_TRUE(a.idle());
  EXPECT_EQ(a.next_deadline(), kNever);
}

TEST(ControlTransport, RetransmitsWithDoublingAndGivesUp) {
  ControlTransport a;
  (void)a.send(as_bytes("x"), t0);
  std::vector<std::chrono::milliseconds> at;
  bool lost = false;
  while (a.next_deadline() != kNever) {
    const Time now = a.next_deadline();
    const auto actions = a.on_deadline(now);
    if (!packets(actions).empty()) {
      at.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(now - t0));
    }
    if (has_lost(actions)) {
      lost = true;
      EXPECT_EQ(now - t0, 15s);
    }
  }
  EXPECT_TRUE(lost);
  EXPECT_TRUE(a.lost());
  EXPECT_THAT(at,
              testing::ElementsAre(200ms, 600ms, 1400ms, 3000ms, 5000ms, 7000ms, 9000ms, 11000ms, 13000ms));
  EXPECT_TRUE(a.send(as_bytes("y"), t0).empty()) << "a lost transport stays silent";
}

TEST(ControlTransport, APathThatIsBackIsUsedAtOnceAndGivenTimeAnew) {
  ControlTransport a;
  a.on_path_back(t0);
  EXPECT_EQ(a.next_deadline(), kNever) << "nothing waits";
  (void)a.send(as_bytes("x"), t0);
  (void)a.on_deadline(t0 + 200ms);
  (void)a.on_deadline(t0 + 600ms);
  const Time back = t0 + 20s;  // meanwhile its owner kept it from giving up
  a.on_path_back(back);
  EXPECT_EQ(a.next_deadline(), back);
  EXPECT_EQ(a.waiting_since(), back);
  EXPECT_EQ(packets(a.on_deadline(back)).size(), 1U);
  EXPECT_EQ(a.next_deadline(), back + 200ms) << "as quickly as the first time";
  EXPECT_FALSE(has_lost(a.on_deadline(back + 14s)));
  EXPECT_TRUE(has_lost(a.on_deadline(back + 15s)));
}

TEST(ControlTransport, KeepsAtMostThirtyTwoFragmentsInFlight) {
  ControlTransport a;
  ControlTransport b;
  const std::string large(100 * kFragmentSize - 1, 'z');
  auto flying = packets(a.send(as_bytes(large), t0));
  EXPECT_EQ(flying.size(), 32U);
  std::vector<std::string> got;
  std::size_t total = 0;
  while (!flying.empty()) {
    ++total;
    const auto answer = b.on_packet(payload(flying.front()), t0);
    flying.erase(flying.begin());
    for (auto& text : messages(answer)) {
      got.push_back(text);
    }
    const auto more = packets(a.on_packet(payload(packets(answer).front()), t0));
    EXPECT_LE(more.size(), 1U);
    flying.insert(flying.end(), more.begin(), more.end());
  }
  EXPECT_EQ(total, 100U);
  EXPECT_THAT(got, testing::ElementsAre(large));
}

TEST(ControlTransport, AnAcknowledgementNowAndThenKeepsTheSession) {
  ControlTransport a;
  const auto flying = packets(a.send(as_bytes(std::string(3 * kFragmentSize, 'q')), t0));
  EXPECT_TRUE(packets(a.on_packet(payload(encode(Acknowledgement{1, 1})), t0 + 14s)).empty());
  EXPECT_FALSE(has_lost(a.on_deadline(t0 + 28s)));
  EXPECT_TRUE(has_lost(a.on_deadline(t0 + 29s)));
}

TEST(ControlTransport, HostilePacketsChangeNothing) {
  ControlTransport a;
  (void)a.send(as_bytes("x"), t0);
  EXPECT_TRUE(a.on_packet(payload(encode(Acknowledgement{99, 0})), t0).empty());
  EXPECT_TRUE(a.on_packet(payload(encode(Acknowledgement{1, 5})), t0).empty());
  EXPECT_FALSE(a.idle());
  const Buffer body(kFragmentSize, 1);
  EXPECT_TRUE(a.on_packet(payload(encode(Fragment{33, 0, 2, body})), t0).empty()) << "beyond every window";
  EXPECT_FALSE(a.on_packet(payload(encode(Fragment{1, 0, 2, body})), t0).empty());
  EXPECT_TRUE(a.on_packet(payload(encode(Fragment{1, 0, 3, body})), t0).empty()) << "another count";
  EXPECT_EQ(a.malformed(), 1U);
}

TEST(ControlTransport, HoldsNoMoreThanEightMebibytesOfIncompleteMessages) {
  ControlTransport a;
  const Buffer body(kFragmentSize, 1);
  std::size_t acknowledged = 0;
  for (std::uint32_t id = 1; id <= 4; ++id) {  // four messages of 4 MiB, each without its last fragment
    for (std::uint16_t index = 0; index < kMaxFragments - 1; ++index) {
      acknowledged += a.on_packet(payload(encode(Fragment{id, index, kMaxFragments, body})), t0).size();
    }
  }
  EXPECT_EQ(acknowledged, (std::size_t{8} << 20) / kFragmentSize);
}

TEST(ControlTransport, SurvivesLossDuplicationAndReordering) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    Pair pair(seed, 0.2, 0.1, 60ms);
    std::vector<std::string> expected[2];
    for (int n = 0; n < 40; ++n) {
      const int side = n % 2;
      const auto size = static_cast<std::size_t>(1 + (n * 977 + static_cast<int>(seed)) % 9000);
      const std::string text(size, static_cast<char>('a' + n % 26));
      pair.send(side, text);
      expected[1 - side].push_back(text);
      pair.run(30ms);
    }
    pair.run(60s);
    EXPECT_EQ(pair.got_[0], expected[0]) << seed;
    EXPECT_EQ(pair.got_[1], expected[1]) << seed;
    EXPECT_TRUE(pair.side_[0].idle());
    EXPECT_TRUE(pair.side_[1].idle());
    EXPECT_FALSE(pair.lost_session_[0] || pair.lost_session_[1]);
  }
}

TEST(ControlTransport, ALosslessLinkCostsTwoPacketsAFragment) {
  Pair pair(1, 0.0, 0.0, 0ms);
  pair.send(0, std::string(64 * kFragmentSize, 'm'));
  pair.run(10s);
  EXPECT_EQ(pair.got_[1].size(), 1U);
  EXPECT_EQ(pair.sent_packets_, 128U);
}

TEST(ControlTransport, ADeadLinkIsNoticed) {
  Pair pair(1, 1.0, 0.0, 0ms);
  pair.send(0, "anybody?");
  pair.run(16s);
  EXPECT_TRUE(pair.lost_session_[0]);
  EXPECT_FALSE(pair.lost_session_[1]);
}

TEST(ControlTransport, WhatIsDueFindsRoomBehindAFullQueue) {
  ControlTransport a;
  const Buffer body(kFragmentSize, 1);
  std::size_t waiting = 0;
  for (std::uint32_t id = 2; id <= 4; ++id) {  // the first message was lost; 12 MiB come before it does again
    for (std::uint16_t index = 0; index < kMaxFragments; ++index) {
      waiting += a.on_packet(payload(encode(Fragment{id, index, kMaxFragments, body})), t0).size();
    }
  }
  EXPECT_EQ(waiting, (std::size_t{8} << 20) / kFragmentSize);
  const auto due = a.on_packet(payload(encode(Fragment{1, 0, 1, as_bytes("first")})), t0);
  const auto got = messages(due);
  ASSERT_EQ(got.size(), 3U) << "the first, and the two that were whole behind it";
  EXPECT_EQ(got[0], "first");
  EXPECT_EQ(got[1].size(), kMaxMessageSize);
}

// Every mix of what a path does to packets, with many small messages and a few large ones.
TEST(ControlTransport, NoMixOfTroubleLosesRepeatsOrReordersAMessage) {
  const struct {
    double loss;
    double duplication;
    std::chrono::milliseconds jitter;
  } paths[] = {{0.0, 0.0, 500ms}, {0.5, 0.0, 0ms},    {0.0, 1.0, 0ms},
               {0.3, 0.5, 200ms}, {0.05, 0.05, 30ms}, {0.6, 0.3, 100ms}};
  unsigned seed = 100;
  for (const auto& path : paths) {
    Pair pair(++seed, path.loss, path.duplication, path.jitter);
    std::vector<std::string> expected[2];
    for (int n = 0; n < 60; ++n) {
      const bool large = n % 20 == 7;
      const std::string text = std::to_string(n) + std::string(large ? 70'000 : 10, 'x');
      for (const int side : {0, 1}) {
        pair.send(side, text);
        expected[1 - side].push_back(text);
      }
    }
    pair.run(10min);
    for (const int side : {0, 1}) {
      EXPECT_EQ(pair.got_[side], expected[side]) << path.loss << " " << path.duplication;
      EXPECT_TRUE(pair.side_[side].idle());
      EXPECT_EQ(pair.side_[side].waiting_since(), kNever);
      EXPECT_EQ(pair.side_[side].malformed(), 0U);
    }
  }
}

TEST(ControlTransport, EveryPrefixOfAPacketIsCountedAndChangesNothing) {
  ControlTransport sender;
  const auto sent = packets(sender.send(as_bytes("a message"), t0));
  ControlTransport a;
  const Buffer& whole = sent.at(0);
  for (std::size_t n = 0; n < 11; ++n) {  // up to the first octet of the body
    EXPECT_TRUE(a.on_packet(payload(whole).first(n), t0).empty()) << n;
  }
  EXPECT_EQ(a.malformed(), 11U);
  EXPECT_THAT(messages(a.on_packet(payload(whole), t0)), testing::ElementsAre("a message"));
}

}  // namespace
}  // namespace hearthcast::tunnel
