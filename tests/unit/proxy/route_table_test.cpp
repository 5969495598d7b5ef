#include "appliance/proxy/route_table.hpp"

#include <gmock/gmock.h>

namespace hearthcast::proxy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

constexpr InstanceId kInstance{7};
constexpr InterfaceIndex kWan{2};
constexpr InterfaceIndex kLan{3};
const Time t0 = Time{} + 1000s;

RouteKey key(std::uint32_t n) { return {IpAddress::ip4(0xEF010100U + n), IpAddress::ip4(0xC0000201U)}; }
WantedRoute to_lan(bool pinned = false) { return {.input = kWan, .outputs = {{kLan, 1}}, .pinned = pinned}; }
WantedRoute nowhere() { return {.input = kWan}; }

struct Routes : testing::Test {
  RouteTable table{kInstance, {.learned = 3, .negative = 2}};

  RouteActions set(std::uint32_t n, WantedRoute wanted, Time now) {
    RouteActions actions;
    table.set(key(n), std::move(wanted), now, actions);
    return actions;
  }
  RouteActions expire(Time now) {
    RouteActions actions;
    table.expire(now, actions);
    return actions;
  }
};

TEST_F(Routes, WithOutputsComeBeforeJoins) {
  const auto actions = set(1, to_lan(), t0);
  EXPECT_THAT(actions.before, ElementsAre(Action(SetRoute{kInstance, key(1), kWan, {{kLan, 1}}})));
  EXPECT_THAT(actions.after, IsEmpty());
}

TEST_F(Routes, WithoutOutputsComeAfterLeaves) {
  set(1, to_lan(), t0);
  const auto actions = set(1, nowhere(), t0 + 1s);
  EXPECT_THAT(actions.before, IsEmpty());
  EXPECT_THAT(actions.after, ElementsAre(Action(SetRoute{kInstance, key(1), kWan, {}})));
}

TEST_F(Routes, ThatDidNotChangeAreNotTold) {
  set(1, to_lan(), t0);
  auto again = set(1, to_lan(), t0 + 1s);
  EXPECT_TRUE(again.before.empty() && again.after.empty());
  again = set(1, to_lan(true), t0 + 2s);
  EXPECT_TRUE(again.before.empty() && again.after.empty()) << "being pinned is no matter of the kernel";
}

TEST_F(Routes, OfAnotherInputAreToldAgain) {
  set(1, to_lan(), t0);
  const auto actions = set(1, {.input = InterfaceIndex{9}, .outputs = {{kLan, 1}}}, t0);
  EXPECT_THAT(actions.before,
              ElementsAre(Action(SetRoute{kInstance, key(1), InterfaceIndex{9}, {{kLan, 1}}})));
}

TEST_F(Routes, ThatWereLearnedEndWithoutPackets) {
  set(1, to_lan(), t0);
  EXPECT_EQ(table.next_deadline(), t0 + kLearnedLifetime);
  EXPECT_THAT(expire(t0 + kLearnedLifetime - 1s).after, IsEmpty());
  EXPECT_THAT(expire(t0 + kLearnedLifetime).after, ElementsAre(Action(RemoveRoute{kInstance, key(1), kWan})));
  EXPECT_EQ(table.next_deadline(), kNever);
}

TEST_F(Routes, ThatMovePacketsLive) {
  set(1, to_lan(), t0);
  for (int minute = 1; minute <= 60; ++minute) {
    table.on_traffic(key(1), {.packets = static_cast<std::uint64_t>(minute) * 100}, t0 + minute * 1min);
    EXPECT_THAT(expire(t0 + minute * 1min).after, IsEmpty());
  }
  const Time last = t0 + 60min;
  table.on_traffic(key(1), {.packets = 6000, .wrong_interface = 5}, last + 1min);
  EXPECT_EQ(table.next_deadline(), last + kLearnedLifetime) << "a counter that stands still is no packet";
  EXPECT_EQ(table.find(key(1))->traffic.wrong_interface, 5U);
}

TEST_F(Routes, ThatArePinnedStay) {
  set(1, to_lan(true), t0);
  EXPECT_EQ(table.next_deadline(), kNever);
  EXPECT_THAT(expire(t0 + 24h * 365).after, IsEmpty());
  set(1, to_lan(false), t0 + 24h * 365);
  EXPECT_EQ(table.next_deadline(), t0 + 24h * 365 + kLearnedLifetime) << "from when nobody names it any more";
}

TEST_F(Routes, Row10_NegativeOnesEndSoon) {
  set(1, nowhere(), t0);
  EXPECT_EQ(table.next_deadline(), t0 + kNegativeLifetime);
  table.touch(key(1), t0 + 30s);
  EXPECT_THAT(expire(t0 + kNegativeLifetime).after, IsEmpty());
  EXPECT_THAT(expire(t0 + 30s + kNegativeLifetime).after,
              ElementsAre(Action(RemoveRoute{kInstance, key(1), kWan})));
}

TEST_F(Routes, Row10_NegativeOnesAreBounded) {
  set(1, nowhere(), t0);
  set(2, nowhere(), t0 + 1s);
  table.touch(key(1), t0 + 2s);
  const auto actions = set(3, nowhere(), t0 + 3s);
  EXPECT_THAT(actions.after, ElementsAre(Action(SetRoute{kInstance, key(3), kWan, {}}),
                                         Action(RemoveRoute{kInstance, key(2), kWan})))
      << "the one that would end first makes room";
  EXPECT_EQ(table.all().size(), 2U);
  EXPECT_EQ(table.evicted(), 1U);
}

TEST_F(Routes, Row10_LearnedOnesAreBoundedAndPinnedOnesAreNot) {
  for (std::uint32_t n = 0; n < 10; ++n) {
    set(n, to_lan(true), t0);
  }
  EXPECT_EQ(table.evicted(), 0U);
  for (std::uint32_t n = 10; n < 20; ++n) {
    set(n, to_lan(), t0 + n * 1s);
  }
  EXPECT_EQ(table.all().size(), 13U);
  EXPECT_EQ(table.evicted(), 7U);
  EXPECT_EQ(table.find(key(16)), nullptr);
  EXPECT_NE(table.find(key(17)), nullptr);
  EXPECT_NE(table.find(key(0)), nullptr);
}

TEST_F(Routes, SmallerLimitsTakeEffectAtOnce) {
  for (std::uint32_t n = 0; n < 3; ++n) {
    set(n, to_lan(), t0 + n * 1s);
  }
  RouteActions actions;
  table.set_limits({.learned = 1, .negative = 1}, actions);
  EXPECT_THAT(actions.after, ElementsAre(Action(RemoveRoute{kInstance, key(0), kWan}),
                                         Action(RemoveRoute{kInstance, key(1), kWan})));
}

TEST_F(Routes, AreFoundByGroup) {
  set(1, to_lan(), t0);
  set(2, to_lan(), t0);
  EXPECT_EQ(table.begin_of(key(2).group)->first, key(2));
  EXPECT_EQ(table.begin_of(key(3).group), table.all().end());
}

TEST_F(Routes, ThatAreUnknownAreLeftAlone) {
  table.touch(key(1), t0);
  table.on_traffic(key(1), {.packets = 1}, t0);
  RouteActions actions;
  table.remove(key(1), actions);
  EXPECT_THAT(actions.after, IsEmpty());
  EXPECT_THAT(table.all(), IsEmpty());
}

}  // namespace
}  // namespace hearthcast::proxy
