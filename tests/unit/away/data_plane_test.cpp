// The away client's data thread with real sockets: sealed media in, players' sockets out.
#include "tunnelmgr/away/data_plane.hpp"

#include "tests/unit/away/away_in_test.hpp"
#include "tests/unit/playout/ts_maker.hpp"
#include "tunnelmgr/playout/stream_buffer.hpp"
#include "tunnelmgr/tunnel/quick_packet.hpp"

namespace hearthcast::away {
namespace {

using AwayDataPlaneTest = AwayInTest;

// Every form that a path may need, and changes of form in the middle, give the players the same octets.
TEST_F(AwayDataPlaneTest, FormsMayChangeAndThePlayersSeeNothingOfIt) {
  Screen one;
  post(one.player(1, 1));
  settle();
  Buffer sent;
  for (int n = 0; n < 90; ++n) {
    const auto payload = datagram(n);
    const int kind = n / 10 % 3;
    if (kind == 0) {
      media(payload);
    } else {
      // The box tells the addresses with the first datagram of another form.
      const auto form =
          kind == 1 && n % 10 != 0 ? tunnel::MediaForm::kCompact : tunnel::MediaForm::kFragments;
      box_.send_compact(endpoint(), framer_, payload, form, n % 2 == 0);
    }
    sent.insert(sent.end(), payload.begin(), payload.end());
  }
  EXPECT_EQ(one.read(sent.size()), sent);
  const auto report = wait_for<StatisticsReady>([](const StatisticsReady& r) {
    return !r.statistics->streams.empty() && r.statistics->streams[0].packets == 90;
  });
  ASSERT_TRUE(report);
  EXPECT_EQ(report->statistics->streams[0].lost, 0U);
  EXPECT_EQ(report->statistics->streams[0].form, tunnel::MediaForm::kFragments);
  EXPECT_EQ(report->statistics->media.unknown_flow, 0U);
}

// So does a session that falls back to GRE on a narrow path and comes back: nothing is asked for again.
TEST_F(AwayDataPlaneTest, FormsWithoutNumbersMayTakeTurnsWithGre) {
  for (const auto form : {tunnel::Form::kSixInFour, tunnel::Form::kAyiya}) {
    post(box_.session(form == tunnel::Form::kAyiya ? 3 : 2));
    post(ExpectForm{form});
    post(SetRepair{true});
    post(CloseStream{ChannelId{1}});
    post(OpenStream{ChannelId{1}, kFlow});
    Screen one;
    post(one.player(form == tunnel::Form::kAyiya ? 3 : 2, 1));
    settle();
    Buffer sent;
    for (int n = 0; n < 90; ++n) {
      const auto payload = datagram(n);
      if (n / 10 % 3 == 1) {
        media(payload);
      } else {
        box_.send_unnumbered(endpoint(), framer_, payload, form);
      }
      sent.insert(sent.end(), payload.begin(), payload.end());
    }
    EXPECT_EQ(one.read(sent.size()), sent) << tunnel::to_string(form);
    const auto report = wait_for<StatisticsReady>([&](const StatisticsReady& r) {
      return !r.statistics->streams.empty() && r.statistics->streams[0].form == tunnel::media_form(form);
    });
    ASSERT_TRUE(report);
    EXPECT_EQ(report->statistics->streams[0].lost, 0U);
    EXPECT_EQ(report->statistics->streams[0].nacks, 0U);
    EXPECT_EQ(report->statistics->port.malformed, 0U);
  }
}

// As in GRE: whoever sends to the group of a channel that names no source.
TEST_F(AwayDataPlaneTest, WithoutNumbersTwoSendersAreOneChannel) {
  post(ExpectForm{tunnel::Form::kAyiya});
  Screen one;
  post(one.player(1, 1));
  settle();
  Buffer sent;
  for (int n = 0; n < 20; ++n) {
    const auto payload = datagram(n);
    box_.send_unnumbered(endpoint(), framer_, payload, tunnel::Form::kAyiya,
                         n % 2 == 0 ? kSource : *Endpoint::parse("192.0.2.2:1234"));
    sent.insert(sent.end(), payload.begin(), payload.end());
  }
  EXPECT_EQ(one.read(sent.size()), sent);
}

TEST_F(AwayDataPlaneTest, AFormThatWasNotAskedForIsCounted) {
  box_.send_unnumbered(endpoint(), framer_, datagram(1), tunnel::Form::kSixInFour);
  EXPECT_TRUE(
      wait_for<StatisticsReady>([](const StatisticsReady& r) { return r.statistics->port.malformed == 1; }));
}

TEST_F(AwayDataPlaneTest, OnePieceOfAnUnknownFlowIsCountedUntilTheAddressesAreTold) {
  Screen one;
  post(one.player(1, 1));
  settle();
  box_.send_compact(endpoint(), framer_, datagram(1), tunnel::MediaForm::kCompact);
  box_.send_compact(endpoint(), framer_, datagram(2), tunnel::MediaForm::kFragments);
  box_.send_compact(endpoint(), framer_, datagram(3), tunnel::MediaForm::kCompact);
  const auto got = one.read(2632);
  EXPECT_EQ(Buffer(got.begin(), got.begin() + 1316), datagram(2));
  const auto report = wait_for<StatisticsReady>(
      [](const StatisticsReady& r) { return r.statistics->media.unknown_flow == 1; });
  ASSERT_TRUE(report);
  box_.send(endpoint(), *from_hex("300088b6000000090000000004d2138c280f0909"));
  EXPECT_TRUE(
      wait_for<StatisticsReady>([](const StatisticsReady& r) { return r.statistics->port.malformed == 1; }));
}

// RFC 6040 at the egress: a mark on the way is for media that understand it, and ends the others.
TEST_F(AwayDataPlaneTest, CongestionOnTheWayIsCounted) {
  Screen one;
  post(one.player(1, 1));
  settle();
  box_.mark_congestion();
  box_.send_media(endpoint(), framer_, datagram(1));
  ASSERT_TRUE(wait_for<StatisticsReady>(
      [](const StatisticsReady& r) { return r.statistics->media.ecn_dropped == 1; }));
  box_.send_media(endpoint(), framer_, datagram(2), false, 0x02);
  EXPECT_EQ(one.read(1316), datagram(2));
  EXPECT_TRUE(wait_for<StatisticsReady>(
      [](const StatisticsReady& r) { return r.statistics->media.ecn_marked == 1; }));
}

TEST_F(AwayDataPlaneTest, TwoPlayersGetOneStreamWhole) {
  Screen one;
  Screen two;
  post(one.player(1, 1));
  post(two.player(2, 1));
  settle();
  Buffer sent;
  for (int n = 0; n < 100; ++n) {
    const auto payload = datagram(n);
    media(payload);
    sent.insert(sent.end(), payload.begin(), payload.end());
  }
  EXPECT_EQ(one.read(sent.size()), sent);
  EXPECT_EQ(two.read(sent.size()), sent);
  ASSERT_TRUE(wait_for<StreamSignal>([](const StreamSignal& s) { return s.present; }));
  const auto report = wait_for<StatisticsReady>([](const StatisticsReady& r) {
    return !r.statistics->streams.empty() && r.statistics->streams[0].packets == 100;
  });
  ASSERT_TRUE(report);
  EXPECT_EQ(report->statistics->streams[0].lost, 0U);
  EXPECT_EQ(report->statistics->streams[0].players, 2U);
  EXPECT_EQ(report->statistics->streams[0].bytes, sent.size());
}

TEST_F(AwayDataPlaneTest, APlayerThatClosesIsReportedTheOtherGoesOn) {
  Screen one;
  Screen two;
  post(one.player(1, 1));
  post(two.player(2, 1));
  settle();
  one.close();
  const auto gone = wait_for<PlayerGone>();
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->player, PlayerId{1});
  EXPECT_EQ(gone->end, PlayerEnd::kClosed);
  media(datagram(1));
  EXPECT_EQ(two.read(1316), datagram(1));
}

TEST_F(AwayDataPlaneTest, APlayerThatStopsReadingIsDroppedAndCostsNobodyElse) {
  Screen lazy;
  Screen busy;
  post(lazy.player(1, 1));
  post(busy.player(2, 1));
  settle();
  const auto payload = datagram(1);
  const std::size_t enough = (playout::kStreamCapacity + (std::size_t{2} << 20)) / payload.size();
  std::size_t got = 0;
  for (std::size_t n = 0; n < enough; ++n) {
    media(payload);
    if (n % 32 == 31) {
      got += busy.read(payload.size() * 32).size();
    }
  }
  got += busy.read(payload.size() * (enough % 32)).size();
  EXPECT_EQ(got, enough * payload.size());
  const auto gone = wait_for<PlayerGone>();
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->player, PlayerId{1});
  EXPECT_EQ(gone->end, PlayerEnd::kTooSlow);
}

TEST_F(AwayDataPlaneTest, ALatePlayerBeginsAtAPicture) {
  playout::TsMaker ts;
  Screen first;
  post(first.player(1, 1));
  settle();
  const auto before = playout::joined({ts.more(), ts.more()});
  const auto start = playout::joined({ts.table(), ts.picture(true)});
  media(before);
  media(start);
  EXPECT_EQ(first.read(before.size() + start.size()).size(), before.size() + start.size());
  Screen late;
  post(late.player(2, 1));
  EXPECT_EQ(late.read(start.size()), start);
}

TEST_F(AwayDataPlaneTest, CountsWhatTheTunnelLost) {
  Screen one;
  post(one.player(1, 1));
  settle();
  media(datagram(1));
  media(datagram(2), true);
  media(datagram(3));
  EXPECT_EQ(one.read(2632).size(), 2632U);
  const auto report = wait_for<StatisticsReady>([](const StatisticsReady& r) {
    return !r.statistics->streams.empty() && r.statistics->streams[0].packets == 2;
  });
  ASSERT_TRUE(report);
  EXPECT_EQ(report->statistics->streams[0].lost, 1U);
}

TEST_F(AwayDataPlaneTest, ANewSessionGoesOnInTheSameResponse) {
  Screen one;
  post(one.player(1, 1));
  settle();
  media(datagram(1));
  EXPECT_EQ(one.read(1316), datagram(1));
  post(box_.session(1));  // the box has restarted: other keys, and its flows number anew
  settle();
  tunnel::FlowFramer restarted(FlowId{9}, {kFlow.group, kFlow.port});
  box_.send_media(endpoint(), restarted, datagram(2));
  EXPECT_EQ(one.read(1316), datagram(2));
}

TEST_F(AwayDataPlaneTest, UnwantedMediaIsCountedAndSilenceSaid) {
  tunnel::FlowFramer other(FlowId{10}, {kOther.group, kOther.port});
  box_.send_media(endpoint(), other, datagram(1));
  ASSERT_TRUE(
      wait_for<StatisticsReady>([](const StatisticsReady& r) { return r.statistics->unwanted == 1; }));
  media(datagram(1));
  ASSERT_TRUE(wait_for<StreamSignal>([](const StreamSignal& s) { return s.present; }));
  ASSERT_TRUE(wait_for<StreamSignal>([](const StreamSignal& s) { return !s.present; }));
}

class AwayReturnTest : public AwayInTest {
 protected:
  // After a datagram of the flow came.
  void leave_and_return(Screen& screen) {
    media(datagram(1));
    ASSERT_TRUE(wait_for<StreamSignal>([](const StreamSignal& s) { return s.present; }));
    post(SetRoundTrip{std::chrono::seconds{1}});  // a busy machine may stop this test for a while
    post(CloseStream{ChannelId{1}});
    post(OpenStream{ChannelId{1}, kFlow});
    post(screen.player(1, 1));
    settle();
  }
};

// A viewer comes back while datagrams of the flow that it left are still on their way: the box's next flow is
// the first that it sees.
TEST_F(AwayReturnTest, StragglersOfALeftFlowDoNotBeginTheNextStream) {
  Screen one;
  leave_and_return(one);
  media(datagram(2));
  media(datagram(3));
  tunnel::FlowFramer next{FlowId{10}, {kFlow.group, kFlow.port}};
  box_.send_media(endpoint(), next, datagram(4));
  EXPECT_EQ(one.read(1316), datagram(4));
}

// Another device watched on, so the flow did, too.
TEST_F(AwayReturnTest, AFlowThatWentOnIsTakenUpAgain) {
  Screen one;
  leave_and_return(one);
  tunnel::QuickRoom room;
  box_.send(endpoint(), tunnel::encode(tunnel::Prelude{9, 1, 1}, room));
  media(datagram(2));
  EXPECT_EQ(one.read(1316), datagram(2));
}

TEST_F(AwayDataPlaneTest, TheFormIsThatOfMostDatagrams) {
  for (int n = 0; n < 20; ++n) {
    box_.send_compact(endpoint(), framer_, datagram(n),
                      n % 10 == 0 ? tunnel::MediaForm::kFragments : tunnel::MediaForm::kCompact);
  }
  const auto report = wait_for<StatisticsReady>([](const StatisticsReady& r) {
    return !r.statistics->streams.empty() && r.statistics->streams[0].packets == 20;
  });
  ASSERT_TRUE(report);
  EXPECT_EQ(report->statistics->streams[0].form, tunnel::MediaForm::kCompact);
}

TEST_F(AwayDataPlaneTest, ClosingAStreamEndsItsPlayers) {
  Screen one;
  Screen late;
  post(one.player(1, 1));
  settle();
  post(CloseStream{ChannelId{1}});
  EXPECT_TRUE(one.ended());
  post(late.player(2, 1));
  EXPECT_TRUE(late.ended());
  const auto gone = wait_for<PlayerGone>([](const PlayerGone& g) { return g.player == PlayerId{2}; });
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->end, PlayerEnd::kStreamClosed);
}

TEST_F(AwayDataPlaneTest, ControlComesUpAndNonsenseIsCounted) {
  const auto gre = *from_hex("000088b50101000000010000");
  box_.send(endpoint(), gre);
  const auto inner = wait_for<datapath::InnerReceived>();
  ASSERT_TRUE(inner);
  EXPECT_EQ(inner->gre, gre);
  box_.send(endpoint(), *from_hex("0000"));
  EXPECT_TRUE(
      wait_for<StatisticsReady>([](const StatisticsReady& r) { return r.statistics->port.malformed == 1; }));
}

}  // namespace
}  // namespace hearthcast::away
