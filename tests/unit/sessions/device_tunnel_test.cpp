#include "appliance/sessions/device_tunnel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "tests/unit/sessions/tunnel_in_test.hpp"
#include "tunnelmgr/tunnel/unicast.hpp"
#include "tunnelmgr/wire/icmp6.hpp"
#include "tunnelmgr/wire/ip4.hpp"
#include "tunnelmgr/wire/ip6.hpp"

namespace hearthcast::sessions {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(TunnelTest, EachHelloListsWhatItsSenderCan) {
  approve({film});
  open();
  EXPECT_THAT(box->device_capabilities(), IsEmpty());
  to_box(
      device.say(tunnel::DeviceHello{.software = "test", .name = "Phone", .capabilities = {"prelude"}}, now));
  EXPECT_THAT(box->device_capabilities(), ElementsAre("prelude"));
  EXPECT_THAT(device.received<tunnel::BoxHello>().at(0).capabilities, ElementsAre("repair"));
  hello();  // the newest hello counts
  EXPECT_THAT(box->device_capabilities(), IsEmpty());
}

TEST_F(TunnelTest, OnlyADeviceThatWantsThemGetsAddressesInsideTheTunnel) {
  approve({film});
  open();
  hello();
  EXPECT_FALSE(device.received<tunnel::BoxHello>().at(0).inner);
  to_box(device.say(tunnel::DeviceHello{.software = "test", .name = "Phone", .capabilities = {"tun"}}, now));
  const auto inner = device.received<tunnel::BoxHello>().at(1).inner;
  ASSERT_TRUE(inner);
  EXPECT_EQ(*inner, InnerPlan(kPhone, *Prefix::parse("10.203.0.0/16")).of(phone));
}

// What the box answers to a packet from that address to that one; empty when nothing.
Buffer pinged(DeviceTunnel& box, const IpAddress& from, const IpAddress& to, Time now) {
  const Buffer body{0x12, 0x34, 0, 1, 'h', 'i'};
  const Buffer packet = wire::encode_ip6(
      {.next_header = wire::kProtocolIcmp6, .hop_limit = 64, .source = from, .destination = to},
      wire::encode_icmp6({128, 0, body}, from, to));
  for (const auto& action : box.on_inner(tunnel::encode_membership(packet), now)) {
    if (const auto* inner = std::get_if<SendInner>(&action)) {
      const Bytes payload = tunnel::decode_inner_packet(inner->gre)->payload;
      return {payload.begin(), payload.end()};
    }
  }
  return {};
}

TEST_F(TunnelTest, TheBoxAnswersEchoAtItsAddressesAndToNobodyElse) {
  approve({film});
  open();
  hello();
  const auto inner = InnerPlan(kPhone, *Prefix::parse("10.203.0.0/16")).of(phone);
  const auto link_local = device.received<tunnel::BoxHello>().at(0).link_local;
  const auto stranger = *IpAddress::parse("2001:db8::1");
  const Buffer reply = pinged(*box, inner.ip6, inner.box_ip6, now);
  const auto answer = tunnel::decode_unicast(reply);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->source, inner.box_ip6);
  EXPECT_EQ(answer->destination, inner.ip6);
  EXPECT_EQ(answer->payload[0], 129);
  EXPECT_FALSE(pinged(*box, link_local, tunnel::box_link_local(), now).empty());
  const auto before = box->counters().malformed;
  EXPECT_TRUE(pinged(*box, stranger, inner.box_ip6, now).empty());
  EXPECT_TRUE(pinged(*box, inner.ip6, stranger, now).empty());
  EXPECT_TRUE(pinged(*box, inner.box_ip6, inner.ip6, now).empty());
  EXPECT_EQ(box->counters().malformed, before + 3);
}

TEST_F(TunnelTest, HelloIsAnsweredWithStateAndTheGrantedChannels) {
  approve({film});
  open();
  hello();
  const auto hellos = device.received<tunnel::BoxHello>();
  ASSERT_THAT(hellos, SizeIs(1));
  EXPECT_EQ(hellos[0].state, tunnel::DeviceState::kApproved);
  EXPECT_EQ(hellos[0].name, "Living room");
  EXPECT_EQ(hellos[0].link_local.to_string(), "fe80::1:1");
  const auto lists = device.received<tunnel::ChannelList>();
  ASSERT_THAT(lists, SizeIs(1));
  ASSERT_THAT(lists[0].channels, SizeIs(1));
  EXPECT_EQ(lists[0].channels[0].flow, kFilm);
  EXPECT_TRUE(lists[0].channels[0].rtp);
  EXPECT_GT(device.queries, 0);  // querier from the start
}

TEST_F(TunnelTest, AListThatTheDeviceHasIsNotSentAgain) {
  approve({film});
  open();
  hello(snapshot()->channels_revision(kPhone));
  EXPECT_THAT(device.received<tunnel::ChannelList>(), IsEmpty());
}

TEST_F(TunnelTest, AGrantedJoinIsWatchedUntilItIsLeft) {
  approve({news, film});
  open();
  to_box(device.join({kNews.source, kNews.group}, now));
  EXPECT_THAT(box->watching(), ElementsAre(kNews));
  to_box(device.join({std::nullopt, kFilm.group}, now));
  EXPECT_THAT(box->watching(), SizeIs(2));
  to_box(device.leave({kNews.source, kNews.group}, now));
  EXPECT_THAT(box->watching(), ElementsAre(kFilm));
  EXPECT_EQ(changes, 3);
  EXPECT_THAT(device.received<tunnel::Refusal>(), IsEmpty());
}

TEST_F(TunnelTest, AChangeOfWhoAsksForAChannelDoesNotBeginItAnew) {
  approve({news});
  open();
  to_box(device.join({kNews.source, kNews.group}, now));
  const Time began = now;
  pass(3s);
  to_box(device.join({std::nullopt, kNews.group}, now));
  to_box(device.leave({kNews.source, kNews.group}, now));
  EXPECT_THAT(box->watching_since(), ElementsAre(std::pair(kNews, began)));
  EXPECT_EQ(changes, 1);
  to_box(device.leave({std::nullopt, kNews.group}, now));
  EXPECT_THAT(box->watching_since(), IsEmpty());
  pass(1s);
  to_box(device.join({kNews.source, kNews.group}, now));
  EXPECT_THAT(box->watching_since(), ElementsAre(std::pair(kNews, now)));
}

TEST_F(TunnelTest, WhatIsLeftMakesRoomForOthers) {
  constexpr unsigned kSources = 30;
  constexpr unsigned kGroups = access::kMaxStreamsPerDevice / kSources + 2;
  const auto flow = [](unsigned group, unsigned source) {
    return FlowKey{IpAddress::parse("2001:db8::1:" + std::to_string(source)),
                   *IpAddress::parse("ff3e::8000:" + std::to_string(group)), 5000};
  };
  const auto each = [](unsigned group, auto apply) {
    for (unsigned source = 0; source < kSources; ++source) {
      apply(group, source);
    }
  };
  std::set<ChannelId> all;
  for (unsigned group = 0; group < kGroups; ++group) {
    each(group, [&](unsigned g, unsigned s) {
      all.insert(catalogue.apply({.flow = flow(g, s), .rtp = false, .name = "One", .attributes = {}})->id);
    });
  }
  approve(all);
  open();
  const auto join = [&](unsigned g, unsigned s) {
    to_box(device.join({flow(g, s).source, flow(g, s).group}, now));
  };
  for (unsigned group = 0; group + 1 < kGroups; ++group) {
    each(group, join);
  }
  EXPECT_THAT(box->watching(), SizeIs(access::kMaxStreamsPerDevice));
  ASSERT_FALSE(device.received<tunnel::Refusal>().empty());
  EXPECT_EQ(device.received<tunnel::Refusal>().back().code, tunnel::RefusalCode::kLimit);
  each(0, [&](unsigned g, unsigned s) { to_box(device.leave({flow(g, s).source, flow(g, s).group}, now)); });
  EXPECT_THAT(box->watching(), SizeIs(access::kMaxStreamsPerDevice - kSources));
  each(kGroups - 1, join);
  EXPECT_THAT(box->watching(), SizeIs(access::kMaxStreamsPerDevice));
  EXPECT_TRUE(box->watching().contains(flow(kGroups - 1, kSources - 1)));
}

TEST_F(TunnelTest, WhatIsNotGrantedIsRefusedInWordsAndNotWatched) {
  approve({film});
  open();
  to_box(device.join({kNews.source, kNews.group}, now));
  EXPECT_THAT(box->watching(), IsEmpty());
  const auto refusals = device.received<tunnel::Refusal>();
  ASSERT_THAT(refusals, SizeIs(1));
  EXPECT_EQ(refusals[0].code, tunnel::RefusalCode::kNotGranted);
  EXPECT_THAT(refusals[0].text, HasSubstr("News"));
  EXPECT_EQ(refusals[0].flow, (FlowKey{kNews.source, kNews.group, 0}));
  EXPECT_EQ(changes, 0);
}

TEST_F(TunnelTest, APendingDeviceIsToldToWaitAndServedWhenItIsApproved) {
  open();
  hello();
  EXPECT_EQ(device.received<tunnel::BoxHello>().at(0).state, tunnel::DeviceState::kPending);
  EXPECT_THAT(device.received<tunnel::BoxHello>().at(0).text, HasSubstr("approve"));
  EXPECT_THAT(device.received<tunnel::ChannelList>(), IsEmpty());
  to_box(device.join({kNews.source, kNews.group}, now));
  EXPECT_EQ(device.received<tunnel::Refusal>().at(0).code, tunnel::RefusalCode::kPending);
  approve({news});
  perform(box->on_access(snapshot(), now));
  EXPECT_EQ(device.received<tunnel::BoxHello>().back().state, tunnel::DeviceState::kApproved);
  EXPECT_THAT(device.received<tunnel::ChannelList>(), SizeIs(1));
  EXPECT_THAT(box->watching(), ElementsAre(kNews));  // its report still stands
}

TEST_F(TunnelTest, RevokingCutsAtOnceAndCloses) {
  approve({news});
  open();
  hello();
  to_box(device.join({kNews.source, kNews.group}, now));
  ASSERT_THAT(box->watching(), ElementsAre(kNews));
  ASSERT_TRUE(devices.set_state(phone, access::DeviceState::kRevoked));
  perform(box->on_access(snapshot(), now));
  EXPECT_THAT(box->watching(), IsEmpty());
  ASSERT_THAT(device.received<tunnel::Notice>(), SizeIs(1));
  EXPECT_EQ(device.received<tunnel::Notice>()[0].code, tunnel::NoticeCode::kRevoked);
  EXPECT_THAT(closed, SizeIs(1));  // the notice was acknowledged
}

TEST_F(TunnelTest, RevokingADeafDeviceStillClosesInTime) {
  approve({news});
  open();
  hello();
  to_box(device.join({kNews.source, kNews.group}, now));
  hears = false;
  ASSERT_TRUE(devices.set_state(phone, access::DeviceState::kRevoked));
  perform(box->on_access(snapshot(), now));
  EXPECT_THAT(box->watching(), IsEmpty());
  pass(2s);
  EXPECT_THAT(closed, SizeIs(1));
  EXPECT_EQ(box->next_deadline(), kNever);
}

TEST_F(TunnelTest, ARevokedDeviceThatConnectsIsToldWhyAndClosed) {
  ASSERT_TRUE(devices.set_state(phone, access::DeviceState::kRevoked));
  open();
  hello();
  EXPECT_EQ(device.received<tunnel::BoxHello>().at(0).state, tunnel::DeviceState::kRevoked);
  EXPECT_THAT(closed, SizeIs(1));
}

TEST_F(TunnelTest, ATakenGrantEndsTheStreamWithItsReason) {
  approve({news, film});
  open();
  hello();
  to_box(device.join({kNews.source, kNews.group}, now));
  approve({film});
  perform(box->on_access(snapshot(), now));
  EXPECT_THAT(box->watching(), IsEmpty());
  ASSERT_THAT(device.received<tunnel::Refusal>(), SizeIs(1));
  EXPECT_EQ(device.received<tunnel::Refusal>()[0].code, tunnel::RefusalCode::kNotGranted);
  EXPECT_THAT(device.received<tunnel::ChannelList>(), SizeIs(2));  // and the new list
  perform(box->on_access(snapshot(), now));
  EXPECT_THAT(device.received<tunnel::Refusal>(), SizeIs(1));  // said once
}

TEST_F(TunnelTest, AChannelThatLeavesTheCatalogueEnds) {
  approve({news});
  open();
  to_box(device.join({kNews.source, kNews.group}, now));
  ASSERT_TRUE(catalogue.remove(news));
  perform(box->on_access(snapshot(), now));
  EXPECT_THAT(box->watching(), IsEmpty());
  EXPECT_EQ(device.received<tunnel::Refusal>().at(0).code, tunnel::RefusalCode::kUnknownChannel);
}

TEST_F(TunnelTest, AChannelWithoutDataIsSaidAfterAWhileAndOnce) {
  approve({news});
  open();
  to_box(device.join({kNews.source, kNews.group}, now));
  pass(4s);
  EXPECT_THAT(device.received<tunnel::Refusal>(), IsEmpty());
  pass(20s);
  ASSERT_THAT(device.received<tunnel::Refusal>(), SizeIs(1));
  EXPECT_EQ(device.received<tunnel::Refusal>()[0].code, tunnel::RefusalCode::kNoSignal);
  EXPECT_THAT(box->watching(), ElementsAre(kNews));  // it keeps listening
}

TEST_F(TunnelTest, AChannelWithDataIsNotComplainedAboutUntilItStops) {
  approve({news});
  open();
  to_box(device.join({kNews.source, kNews.group}, now));
  box->on_signal(kNews, true, now);
  pass(60s);
  EXPECT_THAT(device.received<tunnel::Refusal>(), IsEmpty());
  box->on_signal(kNews, false, now);
  pass(6s);
  EXPECT_THAT(device.received<tunnel::Refusal>(), SizeIs(1));
}

TEST_F(TunnelTest, OfSeveralSilentChannelsEachIsToldAtItsOwnTime) {
  approve({news, film});
  open();
  to_box(device.join({kNews.source, kNews.group}, now));
  pass(2s);
  to_box(device.join({kFilm.source, kFilm.group}, now));
  pass(3s);
  ASSERT_THAT(device.received<tunnel::Refusal>(), SizeIs(1));
  EXPECT_EQ(device.received<tunnel::Refusal>()[0].flow, kNews);
  pass(2s);
  ASSERT_THAT(device.received<tunnel::Refusal>(), SizeIs(2));
  EXPECT_EQ(device.received<tunnel::Refusal>()[1].flow, kFilm);
  pass(60s);
  EXPECT_THAT(device.received<tunnel::Refusal>(), SizeIs(2));
}

TEST_F(TunnelTest, WhyTheDeviceIsRelayedIsKeptAsOneShortLine) {
  approve({news});
  open();
  hello();
  to_box(device.say(tunnel::PathTold{"this network blocks UDP"}, now));
  EXPECT_EQ(box->relayed_because(), "this network blocks UDP");
  to_box(device.say(tunnel::PathTold{"two\nlines \x1b[31m" + std::string(500, 'x')}, now));
  EXPECT_EQ(box->relayed_because(), "two lines [31m" + std::string(106, 'x'));
}

TEST_F(TunnelTest, AFlowThatDoesNotGetThroughIsCutAndTheDeviceToldWhatFits) {
  approve({news, film});
  open();
  hello();
  to_box(device.join({kNews.source, kNews.group}, now));
  to_box(device.join({kFilm.source, kFilm.group}, now));
  to_box(device.say(tunnel::Congestion{kNews, 4'900'000, 8'200'000}, now));
  EXPECT_THAT(box->watching(), ElementsAre(kFilm)) << "the other goes on";
  ASSERT_THAT(device.received<tunnel::Refusal>(), SizeIs(1));
  const auto refusal = device.received<tunnel::Refusal>()[0];
  EXPECT_EQ(refusal.code, tunnel::RefusalCode::kPath);
  EXPECT_EQ(refusal.flow, kNews);
  EXPECT_THAT(refusal.text, HasSubstr("needs about 8.2 Mbit/s"));
  EXPECT_THAT(refusal.text, HasSubstr("4.9 Mbit/s of it arrive"));
  EXPECT_THAT(refusal.text, HasSubstr("up to 4.1 Mbit/s would fit"));
  EXPECT_EQ(box->counters().congested, 1U);

  // A player that tries again at once is refused in the same words, and may have it a while later.
  to_box(device.leave({kNews.source, kNews.group}, now));
  pass(2s);
  to_box(device.join({kNews.source, kNews.group}, now));
  EXPECT_THAT(box->watching(), ElementsAre(kFilm));
  ASSERT_THAT(device.received<tunnel::Refusal>(), SizeIs(2));
  EXPECT_EQ(device.received<tunnel::Refusal>()[1].text, refusal.text);
  to_box(device.leave({kNews.source, kNews.group}, now));
  pass(NarrowPaths::kWithheld);
  to_box(device.join({kNews.source, kNews.group}, now));
  EXPECT_THAT(box->watching(), SizeIs(2));
}

TEST_F(TunnelTest, ANarrowPathForSomethingElseChangesNothing) {
  approve({news});
  open();
  to_box(device.join({kNews.source, kNews.group}, now));
  to_box(device.say(tunnel::Congestion{kFilm, 1, 2}, now));
  EXPECT_THAT(box->watching(), ElementsAre(kNews));
  EXPECT_THAT(device.received<tunnel::Refusal>(), IsEmpty());
}

TEST_F(TunnelTest, AVanishedDeviceLosesItsStreams) {
  approve({news});
  open();
  to_box(device.join({kNews.source, kNews.group}, now));
  hears = false;  // and answers no query
  pass(40s);
  EXPECT_THAT(box->watching(), IsEmpty());
}

TEST_F(TunnelTest, ADeviceThatNeverAcknowledgesIsGivenUp) {
  approve({news});
  open();
  hears = false;
  hello();
  pass(20s);
  EXPECT_THAT(closed, SizeIs(1));
}

TEST_F(TunnelTest, FloodsDoNotGrowTheQueue) {
  open();
  hears = false;
  for (int i = 0; i < 5000; ++i) {
    to_box(device.join({kNews.source, kNews.group}, now));
    to_box(device.leave({kNews.source, kNews.group}, now));
    hello();
  }
  int said = 0;
  for (const auto& action : box->on_deadline(now + 200ms)) {
    said += std::holds_alternative<SendInner>(action) ? 1 : 0;
  }
  EXPECT_LE(said, 40);  // a window of fragments and the queries
  EXPECT_GT(box->counters().refused, 64U);
}

TEST_F(TunnelTest, NonsenseIsCountedAndDropped) {
  approve({news});
  open();
  const auto genuine = device.say(tunnel::DeviceHello{}, now);
  ASSERT_THAT(genuine, SizeIs(1));
  for (std::size_t n = 0; n < genuine[0].size(); ++n) {
    perform(box->on_inner(Bytes(genuine[0]).first(n), now));
  }
  perform(box->on_inner(as_bytes("no gre"), now));
  EXPECT_GT(box->counters().malformed, 0U);
  EXPECT_THAT(closed, IsEmpty());
  EXPECT_THAT(device.received<tunnel::BoxHello>(), IsEmpty());
}

TEST_F(TunnelTest, AGoodbyeClosesWithoutDelay) {
  approve({news});
  open();
  to_box(device.join({kNews.source, kNews.group}, now));
  to_box(device.say(tunnel::Notice{tunnel::NoticeCode::kShutdown, "bye"}, now));
  EXPECT_THAT(closed, SizeIs(1));
  EXPECT_THAT(box->watching(), IsEmpty());
}

TEST_F(TunnelTest, EndSaysWhyAndCloses) {
  approve({news});
  open();
  to_box(device.join({kNews.source, kNews.group}, now));
  perform(box->end(tunnel::NoticeCode::kShutdown, "The box is going down.", now));
  EXPECT_EQ(device.received<tunnel::Notice>().at(0).code, tunnel::NoticeCode::kShutdown);
  EXPECT_THAT(closed, ElementsAre("The box is going down."));
}

}  // namespace
}  // namespace hearthcast::sessions
