// The box's own session code against devices behind NATs: from the first check to media, and everything that
// ends it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/away_actor.hpp"
#include "tests/sim/box_actor.hpp"

namespace hearthcast::sim {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const FlowKey kNews{*IpAddress::parse("2001:db8::5"), *IpAddress::parse("ff3e::1234"), 5000};
const FlowKey kFilm{std::nullopt, *IpAddress::parse("239.1.2.3"), 5004};

struct SessionsTest : testing::Test {
  explicit SessionsTest(Link link = {}) {
    home = world.add_nat(kPortRestricted, "198.51.100.1", link);
    away = world.add_nat(kPortRestricted, "203.0.113.1", link);
    world.add_host(box, "192.168.1.2:4755", home);
    news = box.add_channel("News", kNews);
    film = box.add_channel("Film", kFilm);
    laptop = box.pair(laptop_identity, "Laptop");
    world.add_host(device, "192.168.7.3:40000", away);
  }
  void introduce() {
    box.sessions->on_candidates(laptop_identity.id(), {srflx("203.0.113.1:40000")}, world.now());
    device.learn({srflx("198.51.100.1:4755")});
  }
  bool connect(Duration limit = 3s) {
    introduce();
    return world.run_until([&] { return !device.end.received<tunnel::BoxHello>().empty(); }, limit);
  }
  bool watch(const FlowKey& flow, Duration limit = 2s) {
    device.join(flow);
    return world.run_until([&] { return std::ranges::count(box.joined(), flow) > 0; }, limit);
  }
  void stream(const FlowKey& flow, int packets) {
    for (int i = 0; i < packets; ++i) {
      box.carry(flow);
      world.run_for(1ms);
    }
    world.run_for(100ms);
  }

  World world{77};
  secure::OpenSslIdentity box_identity = secure::make_identity();
  secure::OpenSslIdentity laptop_identity = secure::make_identity();
  BoxActor box{world, box_identity};
  AwayActor device{world, laptop_identity, box_identity};
  int home = 0, away = 0;
  ChannelId news, film;
  DeviceId laptop;
};

TEST_F(SessionsTest, FromAnIntroductionToMediaAndBackToSilence) {
  box.approve(laptop, {news, film});
  ASSERT_TRUE(connect());
  world.run_for(100ms);
  EXPECT_EQ(device.end.received<tunnel::ChannelList>().at(0).channels.size(), 2U);
  EXPECT_THAT(box.joined(), IsEmpty());  // nothing upstream before somebody watches
  ASSERT_TRUE(watch(kNews));
  ASSERT_TRUE(watch(kFilm));
  stream(kNews, 100);
  EXPECT_EQ(device.media, 100U);
  device.leave(kNews);
  device.leave(kFilm);
  ASSERT_TRUE(world.run_until([&] { return box.joined().empty(); }, 1s));
  EXPECT_EQ(box.remembered.back().second.to_string(), "203.0.113.1:40000");
}

TEST_F(SessionsTest, OfABurstOnlyTheOutcomeIsJoined) {
  box.approve(laptop, {news, film});
  ASSERT_TRUE(connect());
  box.sessions->burst([&] {
    device.join(kNews);
    device.join(kFilm);
    world.run_for(300ms);
    device.leave(kFilm);
    world.run_for(300ms);
    EXPECT_THAT(box.joined(), IsEmpty()) << "not before its end";
  });
  EXPECT_THAT(box.joined(), ElementsAre(kNews));
  EXPECT_EQ(box.joins[kFilm], 0) << "what was taken back was never asked for";
  stream(kNews, 10);
  EXPECT_EQ(device.media, 10U) << "the viewer is in the table";
}

struct FlappingTest : SessionsTest {
  FlappingTest() { box.approve(laptop, {news, film}); }
  // Joins and leaves two channels in turn, a hundred times a second.
  void flap(Duration duration) {
    for (Time end = world.now() + duration; world.now() < end; ++flaps) {
      device.join(flaps % 2 == 0 ? kNews : kFilm);
      device.leave(flaps % 2 == 0 ? kFilm : kNews);
      world.run_for(10ms);
    }
  }
  [[nodiscard]] int all_joins() { return box.joins[kNews] + box.joins[kFilm]; }
  int flaps = 0;
};

TEST_F(FlappingTest, CostsTheProviderABoundedNumberOfJoinsAndEndsRight) {
  ASSERT_TRUE(connect());
  flap(60s);
  ASSERT_GT(flaps, 5000);
  constexpr int kChanges = sessions::ChangePace::kAtOnce + 60 * sessions::ChangePace::kPerSecond;
  EXPECT_LE(all_joins(), kChanges / 2 + 4);
  EXPECT_GE(all_joins(), 60) << "it is not shut out either";
  device.leave(kNews);
  device.join(kFilm);
  ASSERT_TRUE(world.run_until([&] { return box.joined() == std::vector{kFilm}; }, 2s));
  world.run_for(5s);
  EXPECT_THAT(box.joined(), ElementsAre(kFilm));
  stream(kFilm, 10);
  EXPECT_GE(device.media, 10U);
}

TEST_F(FlappingTest, DoesNotKeepOthersWaiting) {
  const auto phone_identity = secure::make_identity();
  const DeviceId phone_id = box.pair(phone_identity, "Phone");
  const FlowKey third{*IpAddress::parse("2001:db8::5"), *IpAddress::parse("ff3e::77"), 5000};
  box.approve(phone_id, {box.add_channel("Third", third)});
  AwayActor phone(world, phone_identity, box_identity);
  world.add_host(phone, "203.0.113.50:7000");
  ASSERT_TRUE(connect());
  phone.learn({srflx("198.51.100.1:4755")});
  box.sessions->on_candidates(phone_identity.id(), {srflx("203.0.113.50:7000")}, world.now());
  ASSERT_TRUE(world.run_until([&] { return !phone.end.received<tunnel::BoxHello>().empty(); }, 3s));
  flap(10s);
  phone.join(third);
  flap(100ms);
  EXPECT_EQ(box.joins[third], 1);
  phone.leave(third);
  flap(100ms);
  EXPECT_EQ(std::ranges::count(box.joined(), third), 0);
}

TEST_F(FlappingTest, IsCutAtOnceWhenTheOwnerSaysSo) {
  ASSERT_TRUE(connect());
  flap(10s);
  box.revoke(laptop);
  EXPECT_THAT(box.joined(), IsEmpty());
}

TEST_F(SessionsTest, APendingDeviceIsRefusedWithAReasonAndJoinsNothing) {
  ASSERT_TRUE(connect());
  device.join(kNews);
  world.run_for(2s);
  EXPECT_EQ(device.end.received<tunnel::Refusal>().at(0).code, tunnel::RefusalCode::kPending);
  EXPECT_TRUE(box.joins.empty());
}

TEST_F(SessionsTest, RevokingCutsWithinTwoSeconds) {
  box.approve(laptop, {news});
  ASSERT_TRUE(connect());
  ASSERT_TRUE(watch(kNews));
  stream(kNews, 10);
  box.revoke(laptop);
  EXPECT_THAT(box.joined(), IsEmpty());
  stream(kNews, 10);
  EXPECT_EQ(device.media, 10U);
  world.run_for(2s);
  EXPECT_EQ(device.end.received<tunnel::Notice>().at(0).code, tunnel::NoticeCode::kRevoked);
  EXPECT_FALSE(box.sessions->devices().at(0).connected);
}

TEST_F(SessionsTest, AStrangerGetsNoWordOut) {
  const auto stranger_identity = secure::make_identity();
  AwayActor stranger(world, stranger_identity, box_identity);
  world.add_host(stranger, "198.18.0.1:5000");
  World& w = world;
  stranger.learn({srflx("198.51.100.1:4755")});
  // Even through an open NAT: say it directly to the box.
  const auto before = w.traffic(box).packets_out;
  for (int i = 0; i < 10; ++i) {
    box.on_datagram(w.address_of(stranger), as_bytes("\x16\xfe\xfd and the rest of a handshake"), w.now());
  }
  w.run_for(10s);
  EXPECT_EQ(w.traffic(box).packets_out, before);
  EXPECT_EQ(box.sessions->counters().handshake_unproven, 10U);
}

TEST_F(SessionsTest, APairedDeviceWithAnotherKeyInDtlsGetsNoSession) {
  // ICE is the laptop's, but DTLS shows another certificate: what a thief of ICE credentials could do.
  box.approve(laptop, {news});
  const auto thief = secure::make_identity();
  introduce();
  ASSERT_TRUE(world.run_until([&] { return device.agent.selected().has_value(); }, 3s));
  const auto context = secure::DtlsContext::make(thief).value();
  secure::DtlsSession session(context, secure::DtlsRole::kClient, box_identity.id());
  for (const auto& datagram : session.start(world.now())) {
    box.on_datagram(*Endpoint::parse("203.0.113.1:40000"), datagram, world.now());
  }
  world.run_for(5s);
  EXPECT_NE(session.state(), secure::DtlsState::kEstablished);
}

TEST_F(SessionsTest, ARestartedDeviceReplacesItsSession) {
  box.approve(laptop, {news});
  ASSERT_TRUE(connect());
  ASSERT_TRUE(watch(kNews));
  const auto first = box.sessions->devices().at(0).peer;
  device.handshake();
  ASSERT_TRUE(world.run_until([&] { return !device.end.received<tunnel::BoxHello>().empty(); }, 3s));
  EXPECT_NE(box.sessions->devices().at(0).peer, first);
  EXPECT_THAT(box.joined(), IsEmpty());  // the former session's joins went with it
  ASSERT_TRUE(watch(kNews));
  stream(kNews, 5);
  EXPECT_EQ(device.media, 5U);
}

// A new ClientHello as a device makes it.
Buffer client_hello(const secure::DtlsContext& context, const Identity& box, Time now) {
  secure::DtlsSession session(context, secure::DtlsRole::kClient, box.id());
  return session.start(now).at(0);
}

TEST_F(SessionsTest, ClientHellosInADevicesNameCostNoMoreThanTwoHandshakesASecond) {
  box.approve(laptop, {news});
  ASSERT_TRUE(connect());
  ASSERT_TRUE(watch(kNews));
  const auto peer = box.sessions->devices().at(0).peer;
  const Endpoint laptops = box.sessions->devices().at(0).path.value();
  const auto context = secure::DtlsContext::make(secure::make_identity()).value();
  world.run_for(1min);
  const auto before = world.traffic(box).packets_out;
  for (int n = 0; n < 500; ++n) {  // a hundred a second
    box.on_datagram(laptops, client_hello(context, box_identity, world.now()), world.now());
    world.run_for(10ms);
  }
  EXPECT_EQ(box.sessions->counters().handshake_too_many, 500U - 8 - 9);
  EXPECT_LT(world.traffic(box).packets_out - before, 500U);
  stream(kNews, 10);
  EXPECT_EQ(device.media, 10U) << "the established session is the one that stays";
  EXPECT_EQ(box.sessions->devices().at(0).peer, peer);
  world.run_for(4s);
  device.handshake();
  ASSERT_TRUE(world.run_until([&] { return box.sessions->devices().at(0).peer != peer; }, 3s))
      << "afterwards a restarted device is heard as ever";
}

TEST_F(SessionsTest, ARestartedBoxIsFoundAgainWithoutRendezvous) {
  box.approve(laptop, {news});
  ASSERT_TRUE(connect());
  const Endpoint last = box.remembered.back().second;
  world.remove_host(box);
  world.run_for(1s);
  BoxActor restarted(world, box_identity);
  world.add_host(restarted, "192.168.1.2:4755", home);
  const ChannelId again = restarted.add_channel("News", kNews);
  const DeviceId id = restarted.pair(laptop_identity, "Laptop");
  restarted.approve(id, {again});
  restarted.sessions->lurk(id, last, world.now());
  world.run_for(1s);
  device.handshake();  // it noticed: its pings were not acknowledged
  ASSERT_TRUE(world.run_until([&] { return !device.end.received<tunnel::BoxHello>().empty(); }, 8s));
  device.join(kNews);
  EXPECT_TRUE(world.run_until([&] { return !restarted.joined().empty(); }, 2s));
}

TEST_F(SessionsTest, AVanishedDeviceReleasesEverything) {
  box.approve(laptop, {news});
  ASSERT_TRUE(connect());
  ASSERT_TRUE(watch(kNews));
  world.remove_host(device);
  ASSERT_TRUE(world.run_until(
      [&] { return box.joined().empty() && !box.sessions->devices().at(0).connected; }, 1min));
}

TEST_F(SessionsTest, TwoDevicesOnOneChannelCostOneJoin) {
  const auto phone_identity = secure::make_identity();
  const DeviceId phone_id = box.pair(phone_identity, "Phone");
  box.approve(laptop, {news});
  box.approve(phone_id, {news});
  AwayActor phone(world, phone_identity, box_identity);
  world.add_host(phone, "203.0.113.50:7000");
  ASSERT_TRUE(connect());
  phone.learn({srflx("198.51.100.1:4755")});
  box.sessions->on_candidates(phone_identity.id(), {srflx("203.0.113.50:7000")}, world.now());
  ASSERT_TRUE(world.run_until([&] { return !phone.end.received<tunnel::BoxHello>().empty(); }, 3s));
  ASSERT_TRUE(watch(kNews));
  phone.join(kNews);
  world.run_for(1s);
  EXPECT_EQ(box.joins[kNews], 1);
  stream(kNews, 20);
  EXPECT_EQ(device.media, 20U);
  EXPECT_EQ(phone.media, 20U);
  EXPECT_EQ(device.flows, phone.flows);  // the same key and numbers for both
  EXPECT_EQ(box.sessions->flows().at(0).viewers.size(), 2U);
}

// What needs no word of its own to the provider. In this world all is joined on interface 0.
TEST_F(SessionsTest, AFlowIsJoinedBesideOthersOfItsGroupThatHaveItsSource) {
  const auto ip = [](const char* text) { return *IpAddress::parse(text); };
  const FlowKey one{ip("192.0.2.1"), ip("232.1.1.1"), 5000}, other_port{one.source, one.group, 4000};
  const FlowKey other_source{ip("192.0.2.2"), one.group, 5000}, any{std::nullopt, one.group, 6000};
  const FlowKey other_group{one.source, ip("232.1.1.2"), 5000};
  const PeerId listener = box.sessions->new_listener();
  EXPECT_FALSE(box.sessions->is_joined_beside(one, 0));
  box.sessions->watch(listener, {one}, world.now());
  EXPECT_FALSE(box.sessions->is_joined_beside(one, 0)) << "there is only itself";
  EXPECT_TRUE(box.sessions->is_joined_beside(other_port, 0));
  EXPECT_FALSE(box.sessions->is_joined_beside(other_port, 5)) << "that is another link";
  EXPECT_FALSE(box.sessions->is_joined_beside(other_source, 0));
  EXPECT_FALSE(box.sessions->is_joined_beside(other_group, 0));
  EXPECT_FALSE(box.sessions->is_joined_beside(any, 0)) << "it wants more";
  box.sessions->watch(listener, {any}, world.now());
  EXPECT_TRUE(box.sessions->is_joined_beside(one, 0)) << "any source is this one, too";
  EXPECT_TRUE(box.sessions->is_joined_beside(other_source, 0));
  EXPECT_FALSE(box.sessions->is_joined_beside(other_group, 0));
  EXPECT_FALSE(box.sessions->is_joined_beside(any, 0));
  box.sessions->watch(listener, {}, world.now());
  EXPECT_FALSE(box.sessions->is_joined_beside(one, 0));
}

TEST_F(SessionsTest, AFailedUpstreamJoinIsTriedAgain) {
  box.approve(laptop, {news});
  ASSERT_TRUE(connect());
  box.provider_reachable = false;
  device.join(kNews);
  world.run_for(7s);
  EXPECT_THAT(box.joined(), IsEmpty());
  EXPECT_EQ(box.sessions->flows().at(0).failure, "the interface is down");
  EXPECT_EQ(device.end.received<tunnel::Refusal>().at(0).code, tunnel::RefusalCode::kNoSignal);
  box.provider_reachable = true;
  world.run_for(6s);
  EXPECT_THAT(box.joined(), ElementsAre(kNews));
}

TEST_F(SessionsTest, AForgottenDeviceIsGone) {
  box.approve(laptop, {news});
  ASSERT_TRUE(connect());
  box.sessions->on_access(std::make_shared<const access::Access>(), world.now());
  world.run_for(3s);
  EXPECT_THAT(box.sessions->devices(), IsEmpty());
  EXPECT_EQ(device.end.received<tunnel::Notice>().at(0).code, tunnel::NoticeCode::kRevoked);
}

TEST_F(SessionsTest, GoingDownTellsEveryDevice) {
  box.approve(laptop, {news});
  ASSERT_TRUE(connect());
  box.sessions->end_all(world.now());
  world.run_for(2s);
  EXPECT_EQ(device.end.received<tunnel::Notice>().at(0).code, tunnel::NoticeCode::kShutdown);
}

struct LossySessionsTest : SessionsTest {
  LossySessionsTest() : SessionsTest({.delay = 20ms, .jitter = 20ms, .loss = 0.1056}) {}
};

TEST_F(LossySessionsTest, EverythingStillWorksWithTwentyPercentLoss) {
  box.approve(laptop, {news, film});
  ASSERT_TRUE(connect(30s));
  ASSERT_TRUE(watch(kNews, 15s));
  stream(kNews, 1000);
  EXPECT_GT(device.media, 700U);
  device.leave(kNews);
  ASSERT_TRUE(world.run_until([&] { return box.joined().empty(); }, 30s));
  world.run_for(10min);
  EXPECT_TRUE(box.sessions->devices().at(0).connected);
}

}  // namespace
}  // namespace hearthcast::sim
