// The away client's data thread on a bad path: gaps asked for again, the play-out buffer behind them, what
// came before a late joiner. Real sockets, as in data_plane_test.cpp.
#include "tests/unit/away/away_in_test.hpp"
#include "tunnelmgr/tunnel/inner_packet.hpp"
#include "tunnelmgr/tunnel/quick_packet.hpp"

namespace hearthcast::away {
namespace {

using namespace std::chrono_literals;

class AwayRepair : public AwayInTest {
 protected:
  AwayRepair() {
    post(SetRepair{true});
    // A long way, so that the buffer is at its largest: a busy machine may stop this test for a while.
    post(SetRoundTrip{400ms});
    post(screen_.player(1, 1));
    settle();
  }
  // The GRE packet of the flow's next datagram.
  Buffer framed(Bytes payload) {
    Buffer slot(tunnel::kFrameHeadroom);
    slot.insert(slot.end(), payload.begin(), payload.end());
    const auto frame = framer_.frame(slot, {kSource, 16, 0});
    return {frame->begin(), frame->end()};
  }
  void send(Bytes gre) { box_.send(endpoint(), gre); }
  void say(const tunnel::Prelude& prelude) {
    tunnel::QuickRoom room;
    send(tunnel::encode(prelude, room));
  }
  // The next NACK; whatever else comes is passed over.
  std::optional<tunnel::Nack> nack(Duration patience = kPatience) {
    for (;;) {
      const auto gre = box_.receive(patience);
      if (gre.empty()) {
        return std::nullopt;
      }
      const auto inner = tunnel::decode_inner_packet(gre);
      if (inner && tunnel::quick_kind(inner->payload) == tunnel::QuickKind::kNack) {
        return tunnel::decode_nack(inner->payload).value();
      }
    }
  }
  std::optional<StreamCounters> counters(std::uint64_t packets, std::uint64_t lost = 0) {
    std::optional<StreamCounters> found;
    (void)wait_for<StatisticsReady>([&](const StatisticsReady& r) {
      if (!r.statistics->streams.empty() && r.statistics->streams[0].packets == packets &&
          r.statistics->streams[0].lost == lost) {
        found = r.statistics->streams[0];
      }
      return found.has_value();
    });
    return found;
  }
  Buffer joined(std::initializer_list<int> numbers) {
    Buffer out;
    for (const int number : numbers) {
      const auto payload = datagram(number);
      out.insert(out.end(), payload.begin(), payload.end());
    }
    return out;
  }
  // The next of what the player got.
  Buffer played(std::size_t datagrams) {
    const std::size_t size = datagrams * 1316;
    if (unread_.size() < size) {
      const auto more = screen_.read(size - unread_.size());
      unread_.insert(unread_.end(), more.begin(), more.end());
    }
    const auto end = unread_.begin() + static_cast<std::ptrdiff_t>(std::min(size, unread_.size()));
    Buffer out(unread_.begin(), end);
    unread_.erase(unread_.begin(), end);
    return out;
  }
  Buffer played_until(int number) {
    Buffer out;
    for (Buffer last; last != datagram(number);) {
      last = played(1);
      if (last.size() != 1316) {
        ADD_FAILURE() << "the stream has ended";
        break;
      }
      out.insert(out.end(), last.begin(), last.end());
    }
    return out;
  }
  // Four datagrams of which the second is lost by `lose` and comes by `repair` when it was asked for. A
  // machine that stops for longer than the buffer makes it late: then once more. The numbers of the first are
  // returned.
  template <class Lose, class Repair>
  std::uint32_t mend(Lose lose, Repair repair) {
    for (std::uint32_t first = 0; first < 40; first += 4) {
      send(framed(datagram(1)));
      const Buffer lost = framed(datagram(2));
      lose(lost);
      send(framed(datagram(3)));
      const auto asked = nack();
      if (!asked) {
        ADD_FAILURE() << "nobody asks";
        break;
      }
      EXPECT_EQ(asked->flow(), 9U);
      EXPECT_EQ(asked->ranges().front(), (tunnel::SequenceRange{first_ + first + 1, 1}));
      repair(lost);
      send(framed(datagram(4)));
      const auto got = played_until(4);
      if (got == joined({1, 2, 3, 4})) {
        return first;
      }
      EXPECT_EQ(got, joined({1, 3, 4})) << "late is left out";
      while (nack(300ms)) {  // those of this time
      }
    }
    ADD_FAILURE() << "never repaired";
    return 0;
  }

  Screen screen_;
  Buffer unread_;
  std::uint32_t first_ = 0;  // sequence number where mend() begins
};

TEST_F(AwayRepair, AGapIsAskedForAndPlayedInItsPlace) {
  const auto first = mend([](const Buffer&) {}, [this](const Buffer& lost) { send(lost); });
  const auto counted = counters(first + 4 - first / 4, first / 4);
  ASSERT_TRUE(counted);
  EXPECT_EQ(counted->repaired + counted->reordered, 1U)
      << "reordered: sooner than this way lets an answer come";
  EXPECT_GE(counted->nacks, 1U);
  EXPECT_GE(counted->delay, 150ms);
  EXPECT_LE(counted->delay, 1000ms);
}

TEST_F(AwayRepair, WhatStaysAwayIsAskedForMoreThanOnceAndThenGivenUp) {
  bool twice = false;
  std::uint32_t tries = 0;
  for (; !twice && tries < 10; ++tries) {
    send(framed(datagram(1)));
    (void)framed(datagram(2));
    send(framed(datagram(3)));
    const auto first = nack();
    ASSERT_TRUE(first);
    const auto second = nack(2s);
    twice = second && *second == *first;
    EXPECT_EQ(played(2), joined({1, 3}));
    while (nack(300ms)) {
    }
  }
  EXPECT_TRUE(twice);
  const auto counted = counters(std::uint64_t{2} * tries, tries);
  ASSERT_TRUE(counted);
  EXPECT_EQ(counted->repaired, 0U);
}

TEST_F(AwayRepair, ABoxThatAnswersNoNacksIsNotAsked) {
  post(SetRepair{false});
  send(framed(datagram(1)));
  const Buffer late = framed(datagram(2));
  send(framed(datagram(3)));
  EXPECT_EQ(played(2), joined({1, 3}));
  send(late);
  send(framed(datagram(4)));
  EXPECT_EQ(played(1), datagram(4)) << "what comes after it was given up is not played";
  const auto counted = counters(3, 1);
  ASSERT_TRUE(counted);
  EXPECT_EQ(counted->nacks, 0U);
  EXPECT_EQ(counted->lost, 1U);
}

// Fragments are put together before numbers are looked at: one alone is a lost datagram.
TEST_F(AwayRepair, ALostFragmentIsAskedForAndBothComeAgain) {
  const auto fragments = [](const Buffer& full, Buffer& room) {
    return tunnel::to_compact(full, tunnel::MediaForm::kFragments, room).value();
  };
  Buffer room(tunnel::kCompactRoom);
  const Buffer hello = framed(datagram(0));
  for (const auto packet : fragments(hello, room).packets) {
    send(packet);
  }
  EXPECT_EQ(played(1), datagram(0));
  first_ = 1;
  mend([&](const Buffer& lost) { send(fragments(lost, room).packets[1]); },
       [&](const Buffer& lost) {
         for (const auto packet : fragments(lost, room).packets) {
           send(packet);
         }
       });
}

// What is live comes first and waits: the player begins where the prelude does.
TEST_F(AwayRepair, APreludeIsPlayedBeforeWhatIsLive) {
  const Buffer one = framed(datagram(1));
  const Buffer two = framed(datagram(2));
  const Buffer live = framed(datagram(3));
  say({9, 0, 2});
  send(live);
  say({9, 0, 2});
  send(one);
  send(two);
  EXPECT_EQ(played(3), joined({1, 2, 3}));
  const auto counted = counters(3);
  ASSERT_TRUE(counted);
  EXPECT_EQ(counted->lost, 0U);
}

// Players that went on from a former session have seen that.
TEST_F(AwayRepair, APreludeOfANewSessionIsNotPlayedAgain) {
  send(framed(datagram(1)));
  EXPECT_EQ(played(1), datagram(1));
  post(box_.session(1));
  settle();
  tunnel::FlowFramer restarted(FlowId{2}, {kFlow.group, kFlow.port});
  say({2, 0, 2});
  box_.send_media(endpoint(), restarted, datagram(8));
  box_.send_media(endpoint(), restarted, datagram(9));
  box_.send_media(endpoint(), restarted, datagram(2));
  EXPECT_EQ(played(1), datagram(2));
}

TEST_F(AwayRepair, NonsenseInPlaceOfAPreludeIsCounted) {
  send(*from_hex("000088b5010500000009"));
  ASSERT_TRUE(
      wait_for<StatisticsReady>([](const StatisticsReady& r) { return r.statistics->port.malformed == 1; }));
}

// Five seconds of which a quarter stays away: said once, with what comes and what would be needed.
TEST_F(AwayRepair, APathThatIsTooNarrowIsSaid) {
  std::optional<StreamOverloaded> said;
  const Time end = Clock::now() + kPatience;
  for (int n = 0; !said && Clock::now() < end; ++n) {
    const Buffer gre = framed(datagram(n));
    if (n % 4 != 0) {
      send(gre);
    }
    (void)screen_.read_now();
    plane().consume([&](Up message) {
      if (const auto* overloaded = std::get_if<StreamOverloaded>(&message)) {
        said = *overloaded;
      }
    });
    (void)::poll(nullptr, 0, 3);  // between datagrams; the NACKs are not answered
  }
  ASSERT_TRUE(said);
  EXPECT_EQ(said->channel, ChannelId{1});
  EXPECT_GT(said->arriving_bps, 0U);
  EXPECT_GT(said->needed_bps, said->arriving_bps + said->arriving_bps / 10);
}

}  // namespace
}  // namespace hearthcast::away
