// HTTP players at home on the box's data thread: real multicast in, real sockets out.
#include <gmock/gmock.h>

#include "tests/unit/datapath/device_in_test.hpp"
#include "tests/unit/datapath/screen.hpp"
#include "tests/unit/forward/box_in_test.hpp"
#include "tests/unit/playout/ts_maker.hpp"
#include "tunnelmgr/wire/rtp.hpp"

namespace hearthcast::forward {
namespace {

using datapath::PlayerEnd;
using Screen = datapath::Screen;
using Device = datapath::DeviceInTest;

AddPlayer player(int id, Screen& screen, int flow = 1) {
  return {PlayerId{id}, FlowId{flow}, screen.socket()};
}

// `count` datagrams from `first` on; what a player gets of them.
Buffer send_row(Provider& provider, int first, int count) {
  Buffer all;
  for (int n = first; n < first + count; ++n) {
    const auto payload = numbered(n);
    provider.send(payload);
    all.insert(all.end(), payload.begin(), payload.end());
  }
  return all;
}

// Everything posted so far is done, and everything sent so far was received.
void settle(Box& box, std::uint64_t packets) {
  ASSERT_TRUE(box.wait_for<StatisticsReady>([&](const StatisticsReady& r) {
    return !r.statistics->flows.empty() && r.statistics->flows[0].packets >= packets;
  }));
}

bool has_players(const StatisticsReady& ready, std::size_t count) {
  return ready.statistics->players.size() == count;
}

TEST(BoxPlayers, EveryPlayerGetsTheSameOctetsOfOneFlow) {
  in_network([] {
    Provider provider;
    Box box;
    box.carry();
    Screen screens[4];
    for (int n = 0; n < 4; ++n) {
      box.post(player(n + 1, screens[n]));
    }
    ASSERT_TRUE(box.wait_for<StatisticsReady>([](const StatisticsReady& r) { return has_players(r, 4); }));
    const auto sent = send_row(provider, 0, 200);
    for (auto& screen : screens) {
      EXPECT_EQ(screen.read(sent.size()), sent);
    }
    const auto report = box.wait_for<StatisticsReady>([&](const StatisticsReady& r) {
      return has_players(r, 4) && r.statistics->players[3].bytes == sent.size();
    });
    ASSERT_TRUE(report);
    EXPECT_EQ(report->statistics->flows[0].packets, 200U) << "received once";
  });
}

TEST(BoxPlayers, TheSignalIsToldAlsoWhileNobodyWaitsForEachDatagram) {
  in_network([] {
    Provider provider;
    Box box;
    box.carry();
    Screen screen;
    box.post(player(1, screen));
    provider.send(numbered(1));
    EXPECT_TRUE(box.wait_for<FlowSignal>([](const FlowSignal& s) { return s.present; }));
    EXPECT_EQ(screen.read(1316), numbered(1));
    EXPECT_TRUE(box.wait_for<FlowSignal>([](const FlowSignal& s) { return !s.present; }));
  });
}

TEST(BoxPlayers, ATunnelAndPlayersShareAFlow) {
  in_network([] {
    Provider provider;
    Box box;
    Device device(1);
    box.post(device.session());
    box.carry();
    box.show({device.id()});
    Screen screen;
    box.post(player(1, screen));
    ASSERT_TRUE(box.wait_for<StatisticsReady>([](const StatisticsReady& r) { return has_players(r, 1); }));
    const auto sent = send_row(provider, 0, 50);
    EXPECT_EQ(device.receive(50).size(), 50U);
    EXPECT_EQ(screen.read(sent.size()), sent);
    // The tunnel goes; the player alone goes on, and when he goes too the next tunnel is served again.
    box.show({});
    const auto more = send_row(provider, 50, 50);
    EXPECT_EQ(screen.read(more.size()), more);
    box.post(RemovePlayer{PlayerId{1}});
    EXPECT_TRUE(screen.ended());
    box.show({device.id()});
    settle(box, 100);
    (void)send_row(provider, 100, 3);
    EXPECT_EQ(device.receive(3).size(), 3U);
  });
}

TEST(BoxPlayers, ALatePlayerOfAKeptFlowBeginsAtAPicture) {
  in_network([] {
    Provider provider;
    Box box;
    linux::MulticastOptions options;
    options.flow = kFlow;
    options.interface_index = ::if_nametoindex("lo");
    auto socket = linux::MulticastSocket::join(options);
    ASSERT_TRUE(socket);
    box.post(AddFlow{FlowId{1}, kFlow, std::make_unique<linux::MulticastSocket>(std::move(*socket)), true});
    playout::TsMaker ts;
    provider.send(playout::joined({ts.more(), ts.more()}));
    const auto start = playout::joined({ts.table(), ts.picture(true)});
    provider.send(start);
    settle(box, 2);
    Screen late;
    box.post(player(1, late));
    EXPECT_EQ(late.read(start.size()), start);
  });
}

TEST(BoxPlayers, RtpHeadersAreTakenOff) {
  in_network([] {
    Provider provider;
    Box box;
    box.carry();
    Screen screen;
    box.post(player(1, screen));
    playout::TsMaker ts;
    const auto packets = playout::joined({ts.table(), ts.picture(true)});
    wire::RtpHeader header;
    header.payload_type = wire::kRtpPayloadMp2t;
    provider.send(wire::encode_rtp(header, packets));
    EXPECT_EQ(screen.read(packets.size()), packets);
  });
}

TEST(BoxPlayers, WhoClosesIsToldAndCostsNobodyElse) {
  in_network([] {
    Provider provider;
    Box box;
    box.carry();
    Screen one;
    Screen two;
    box.post(player(1, one));
    box.post(player(2, two));
    ASSERT_TRUE(box.wait_for<StatisticsReady>([](const StatisticsReady& r) { return has_players(r, 2); }));
    one.close();
    const auto gone = box.wait_for<PlayerGone>();
    ASSERT_TRUE(gone);
    EXPECT_EQ(gone->player, PlayerId{1});
    EXPECT_EQ(gone->end, PlayerEnd::kClosed);
    const auto sent = send_row(provider, 0, 10);
    EXPECT_EQ(two.read(sent.size()), sent);
  });
}

TEST(BoxPlayers, WhoStopsReadingIsDroppedAndCostsNobodyElse) {
  in_network([] {
    Provider provider;
    Box box;
    box.carry();
    Screen lazy;
    Screen busy;
    box.post(player(1, lazy));
    box.post(player(2, busy));
    ASSERT_TRUE(box.wait_for<StatisticsReady>([](const StatisticsReady& r) { return has_players(r, 2); }));

    const std::size_t enough = (playout::kStreamCapacity + (std::size_t{4} << 20)) / 1316;
    for (std::size_t n = 0; n < enough; n += 40) {
      const auto part = send_row(provider, static_cast<int>(n % 200), 40);
      EXPECT_EQ(busy.read(part.size()), part);
    }
    const auto gone = box.wait_for<PlayerGone>();
    ASSERT_TRUE(gone);
    EXPECT_EQ(gone->player, PlayerId{1});
    EXPECT_EQ(gone->end, PlayerEnd::kTooSlow);
    EXPECT_TRUE(lazy.ended());
  });
}

TEST(BoxPlayers, ARemovedFlowEndsItsPlayersAndAnUnknownOneTakesNone) {
  in_network([] {
    Box box;
    box.carry();
    Screen one;
    Screen nowhere;
    box.post(player(1, one));
    box.post(player(2, nowhere, 7));
    EXPECT_TRUE(nowhere.ended());
    box.post(RemoveFlow{FlowId{1}});
    EXPECT_TRUE(one.ended());
    for (const int expected : {2, 1}) {
      const auto gone = box.wait_for<PlayerGone>();
      ASSERT_TRUE(gone);
      EXPECT_EQ(gone->player, PlayerId{expected});
      EXPECT_EQ(gone->end, PlayerEnd::kStreamClosed);
    }
    box.post(RemovePlayer{PlayerId{1}});  // means nothing any more
    EXPECT_TRUE(box.wait_for<StatisticsReady>([](const StatisticsReady& r) { return has_players(r, 0); }));
  });
}

TEST(BoxPlayers, ARejoinGoesOnInTheSameResponse) {
  in_network([] {
    Provider provider;
    Box box;
    box.carry();
    Screen screen;
    box.post(player(1, screen));
    ASSERT_TRUE(box.wait_for<StatisticsReady>([](const StatisticsReady& r) { return has_players(r, 1); }));
    const auto before = send_row(provider, 0, 10);
    EXPECT_EQ(screen.read(before.size()), before);
    box.carry();  // the same flow on a new socket
    settle(box, 10);
    ASSERT_TRUE(box.wait_for<StatisticsReady>());
    const auto after = send_row(provider, 10, 10);
    EXPECT_EQ(screen.read(after.size()), after);
  });
}

}  // namespace
}  // namespace hearthcast::forward
