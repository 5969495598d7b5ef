#include "tunnelmgr/away/box_session.hpp"

#include <gmock/gmock.h>

#include "tunnelmgr/membership/router.hpp"
#include "tunnelmgr/tunnel/inner_packet.hpp"
#include "tunnelmgr/wire/icmp6.hpp"
#include "tunnelmgr/wire/ip4.hpp"
#include "tunnelmgr/wire/ip6.hpp"

namespace hearthcast::away {
namespace {

using namespace std::chrono_literals;
using testing::Each;
using testing::ElementsAre;
using testing::Not;

const FlowKey kOne{IpAddress::parse("2001:db8::1"), *IpAddress::parse("ff3e::8000:1"), 5004};
const FlowKey kTwo{std::nullopt, *IpAddress::parse("239.1.1.2"), 5004};
const IpAddress kLinkLocal = *IpAddress::parse("fe80::1:2");

// The box's end: the same transport, and a membership router.
class Box {
 public:
  void take(Bytes gre, Time now) {
    const auto inner = tunnel::decode_inner_packet(gre);
    ASSERT_TRUE(inner);
    if (inner->kind == tunnel::InnerKind::kControl) {
      collect(transport_.on_packet(inner->payload, now));
      return;
    }
    ASSERT_EQ(inner->kind, tunnel::InnerKind::kMembership);
    for (auto& router : routers_) {
      for (const auto& action : router.on_packet(inner->payload, now)) {
        if (const auto* change = std::get_if<membership::FilterChanged>(&action)) {
          heard_.push_back(change->group.to_string() + " " + change->now.to_string());
        }
      }
    }
  }
  void say(const tunnel::ControlMessage& message, Time now) {
    collect(transport_.send(tunnel::encode(message), now));
  }

  void say_octets(const Buffer& body, Time now) { collect(transport_.send(body, now)); }

  std::vector<Buffer> out_;
  std::vector<std::string> heard_;

 private:
  void collect(const tunnel::ControlActions& actions) {
    for (const auto& action : actions) {
      if (const auto* send = std::get_if<tunnel::SendPacket>(&action)) {
        out_.push_back(send->gre);
      } else if (const auto* message = std::get_if<tunnel::MessageReceived>(&action)) {
        heard_.push_back(std::string(as_text(message->body).substr(0, 30)));
      }
    }
  }
  tunnel::ControlTransport transport_;
  static membership::Router router(Family family, std::string_view own_address) {
    return {{.family = family, .tracking = membership::Tracking::kPointToPoint, .ssm_from_any_source = true},
            IpAddress::parse(own_address),
            Time{}};
  }
  std::array<membership::Router, 2> routers_{router(Family::kIp4, "0.0.0.0"),
                                             router(Family::kIp6, "fe80::1")};
};

class BoxSessionTest : public testing::Test {
 protected:
  void perform(const SessionActions& actions) {
    struct Visitor {
      BoxSessionTest& t;
      void operator()(const SendGre& a) const {
        if (t.reachable_) {
          t.box_.take(a.gre, t.now_);
        }
      }
      void operator()(const Greeted& a) const {
        t.seen_.push_back(std::string("greeted ") + tunnel::to_string(a.hello.state));
      }
      void operator()(const ChannelsCame& a) const {
        t.seen_.push_back("channels " + std::to_string(a.list.channels.size()));
      }
      void operator()(const Refused& a) const { t.seen_.push_back("refused " + a.refusal.text); }
      void operator()(const Noticed& a) const { t.seen_.push_back("noticed " + a.notice.text); }
      void operator()(const ReachTold& a) const {
        t.seen_.push_back("reach " + std::to_string(a.reach.addresses.size()));
      }
      void operator()(const HomeHostsTold& a) const {
        t.seen_.push_back("home hosts " + std::to_string(a.hosts.size()));
      }
      void operator()(const PacketCame& a) const {
        t.seen_.push_back("packet " + std::to_string(a.ip_packet.size()));
      }
      void operator()(const CheckPath&) const { t.seen_.push_back("check path"); }
      void operator()(const Dead&) const { t.seen_.push_back("dead"); }
    };
    for (const auto& action : actions) {
      std::visit(Visitor{*this}, action);
    }
    for (const auto& gre : std::exchange(box_.out_, {})) {
      perform(session_.on_inner(gre, now_));
    }
  }
  void say(const tunnel::ControlMessage& message) {
    box_.say(message, now_);
    perform({});
  }
  void run(Duration time) {
    const Time end = now_ + time;
    while (session_.next_deadline() <= end) {
      now_ = std::max(now_, session_.next_deadline());
      perform(session_.on_deadline(now_));
    }
    now_ = end;
  }
  void greet(tunnel::DeviceState state = tunnel::DeviceState::kApproved) {
    perform(session_.start(now_));
    say(tunnel::BoxHello{1, "box", "Home", state, kLinkLocal, ""});
    box_.heard_.clear();
    seen_.clear();
  }

  Time now_ = Time{} + 1h;
  bool reachable_ = true;
  BoxSession session_{tunnel::DeviceHello{1, "away", "laptop", 7}};
  Box box_;
  std::vector<std::string> seen_;
};

TEST_F(BoxSessionTest, SaysHelloAndPassesOnWhatTheBoxSays) {
  perform(session_.start(now_));
  EXPECT_THAT(box_.heard_, ElementsAre(testing::StartsWith(R"({"channels_revision":7,)")));
  say(tunnel::BoxHello{1, "box", "Home", tunnel::DeviceState::kPending, kLinkLocal, "wait"});
  say(tunnel::ChannelList{8, {{ChannelId{1}, "One", kOne, false, {}}}});
  say(tunnel::Refusal{tunnel::RefusalCode::kNotGranted, "no", kOne});
  say(tunnel::Notice{tunnel::NoticeCode::kShutdown, "bye"});
  EXPECT_THAT(seen_, ElementsAre("greeted pending", "channels 1", "refused no", "noticed bye"));
  EXPECT_EQ(session_.greeting()->link_local, kLinkLocal);
}

TEST_F(BoxSessionTest, AnswersPathProbesAndRemembersWhatTheBoxFoundOut) {
  EXPECT_EQ(session_.path_mtu(), 0);
  const auto answers = session_.on_inner(tunnel::encode(tunnel::PathProbe{false, 5, 1492, 1428}, 1400), now_);
  ASSERT_EQ(answers.size(), 1U);
  const auto& gre = std::get<SendGre>(answers[0]).gre;
  EXPECT_LT(gre.size(), 20U);
  EXPECT_EQ(tunnel::decode_path_probe(Bytes(gre).subspan(4)), (tunnel::PathProbe{true, 5, 1492, 1428}));
  EXPECT_EQ(session_.path_mtu(), 1428);
  EXPECT_TRUE(session_.on_inner(tunnel::encode(tunnel::PathProbe{true, 5, 1492, 1300}), now_).empty());
  EXPECT_EQ(session_.path_mtu(), 1428) << "an answer was not asked for";
  EXPECT_EQ(session_.malformed(), 0U);
}

TEST_F(BoxSessionTest, PassesOnWhereAtHomeTheDeviceMayGo) {
  greet();
  box_.say_octets(tunnel::encode_home_hosts({*HomeHost::parse("192.168.1.50:80")}), now_);
  perform({});
  box_.say_octets(tunnel::encode_home_hosts({}), now_);
  perform({});
  EXPECT_THAT(seen_, ElementsAre("home hosts 1", "home hosts 0"));
  EXPECT_EQ(session_.malformed(), 0U);
}

TEST_F(BoxSessionTest, PassesOnWhereTheBoxIsToBeFound) {
  greet();
  box_.say_octets(tunnel::encode(tunnel::Reach{{*tunnel::ReachAddress::parse("home.example.net")}, "", ""}),
                  now_);
  perform({});
  EXPECT_THAT(seen_, ElementsAre("reach 1"));
  box_.say_octets(Buffer{'{', '}'}, now_);
  perform({});
  EXPECT_EQ(seen_.size(), 1U);
  EXPECT_EQ(session_.malformed(), 1U);
}

TEST_F(BoxSessionTest, ReportsWishesOnceGreeted) {
  perform(session_.want(kOne, now_));
  EXPECT_TRUE(box_.heard_.empty());
  perform(session_.start(now_));
  box_.heard_.clear();
  say(tunnel::BoxHello{1, "box", "Home", tunnel::DeviceState::kApproved, kLinkLocal, ""});
  EXPECT_THAT(box_.heard_, ElementsAre("ff3e::8000:1 INCLUDE {2001:db8::1}"));
  perform(session_.want(kTwo, now_));
  EXPECT_EQ(box_.heard_.back(), "239.1.1.2 EXCLUDE {}");
  perform(session_.unwant(kOne, now_));
  EXPECT_EQ(box_.heard_.back(), "ff3e::8000:1 INCLUDE {}");
  perform(session_.unwant(kOne, now_));
  EXPECT_EQ(box_.heard_.size(), 3U);
}

TEST_F(BoxSessionTest, ANarrowPathIsSaidToABoxThatUnderstandsIt) {
  const tunnel::Congestion congestion{kTwo, 4'000'000, 8'000'000};
  greet();
  perform(session_.want(kTwo, now_));
  box_.heard_.clear();
  perform(session_.say_congestion(congestion, now_));
  EXPECT_TRUE(box_.heard_.empty()) << "the box lists no repair";
  say(tunnel::BoxHello{1, "box", "Home", tunnel::DeviceState::kApproved, kLinkLocal, "", {"repair"}});
  perform(session_.say_congestion({kOne, 1, 2}, now_));
  EXPECT_TRUE(box_.heard_.empty()) << "nobody wants that one";
  perform(session_.say_congestion(congestion, now_));
  EXPECT_THAT(box_.heard_, ElementsAre(testing::StartsWith(R"({"arriving_bps":4000000,)")));
}

TEST_F(BoxSessionTest, WhyThePathIsRelayedIsSaidOnceGreeted) {
  perform(session_.say_path("too early", now_));
  EXPECT_TRUE(box_.heard_.empty());
  greet();
  box_.heard_.clear();
  perform(session_.say_path("no", now_));
  perform(session_.say_path("", now_));
  EXPECT_THAT(box_.heard_,
              ElementsAre(R"({"relayed":"no","type":"path"})", R"({"relayed":"","type":"path"})"));
}

TEST_F(BoxSessionTest, TwoPortsOfOneGroupAreOneMembership) {
  greet();
  auto other = kTwo;
  other.port = 5006;
  perform(session_.want(kTwo, now_));
  perform(session_.want(other, now_));
  perform(session_.unwant(kTwo, now_));
  EXPECT_THAT(box_.heard_, ElementsAre("239.1.1.2 EXCLUDE {}"));
  perform(session_.unwant(other, now_));
  EXPECT_THAT(box_.heard_, ElementsAre("239.1.1.2 EXCLUDE {}", "239.1.1.2 INCLUDE {}"));
}

TEST_F(BoxSessionTest, ApprovalWhileConnectedReportsAgain) {
  perform(session_.want(kOne, now_));
  greet(tunnel::DeviceState::kPending);
  say(tunnel::BoxHello{1, "box", "Home", tunnel::DeviceState::kApproved, kLinkLocal, ""});
  EXPECT_THAT(seen_, ElementsAre("greeted approved"));
}

TEST_F(BoxSessionTest, SilenceChecksThePathThenAsksTheBox) {
  greet();
  perform(session_.want(kOne, now_));
  session_.on_signal(kOne, true, now_);
  run(5s);
  EXPECT_TRUE(seen_.empty());
  box_.heard_.clear();
  session_.on_signal(kOne, false, now_);
  run(0ms);
  EXPECT_THAT(seen_, ElementsAre("check path")) << "at once: the data thread has waited already";
  run(900ms);
  EXPECT_TRUE(box_.heard_.empty());
  run(200ms);
  EXPECT_THAT(box_.heard_, ElementsAre(testing::HasSubstr("nonce")));
  run(3s);
  EXPECT_THAT(seen_, Each("check path")) << "the box answers: the provider is silent, no more";
  EXPECT_LE(seen_.size(), 10U);
  seen_.clear();
  run(60s);
  EXPECT_THAT(seen_, Each("check path"));
  EXPECT_LE(seen_.size(), 14U) << "rarely, when it lasts";
}

TEST_F(BoxSessionTest, WhatHasNotComeYetIsWaitedForAMoment) {
  greet();
  perform(session_.want(kOne, now_));
  run(240ms);
  EXPECT_TRUE(seen_.empty());
  run(20ms);
  EXPECT_THAT(seen_, ElementsAre("check path"));
}

TEST_F(BoxSessionTest, ASilenceThatEndedIsNotCheckedAnyMore) {
  greet();
  perform(session_.want(kOne, now_));
  session_.on_signal(kOne, true, now_);
  session_.on_signal(kOne, false, now_);
  run(0ms);
  session_.on_signal(kOne, true, now_);
  seen_.clear();
  run(9s);
  EXPECT_TRUE(seen_.empty());
}

// The box cannot be heard, so its silence says nothing about it: the session is kept for when it can.
TEST_F(BoxSessionTest, APathThatDoesNotAnswerIsNoProofThatTheBoxForgotUs) {
  greet();
  perform(session_.want(kOne, now_));
  session_.on_signal(kOne, true, now_);
  run(5s);
  reachable_ = false;
  session_.on_signal(kOne, false, now_);
  run(300ms);
  perform(session_.on_path(false, now_));
  run(25s);
  EXPECT_THAT(seen_, Each("check path"));
  reachable_ = true;
  box_.heard_.clear();
  perform(session_.on_path(true, now_));
  run(10ms);
  EXPECT_THAT(box_.heard_, ElementsAre(testing::HasSubstr("nonce"))) << "asked at once";
  session_.on_signal(kOne, true, now_);
  run(5s);
  EXPECT_THAT(seen_, Not(testing::Contains("dead")));
}

TEST_F(BoxSessionTest, WhatWaitedForAnAnswerIsRepeatedWhenThePathIsBack) {
  greet();
  perform(session_.want(kOne, now_));
  session_.on_signal(kOne, true, now_);
  reachable_ = false;
  session_.on_signal(kOne, false, now_);
  run(1500ms);  // a ping is on its way
  perform(session_.on_path(false, now_));
  run(20s);
  reachable_ = true;
  box_.heard_.clear();
  perform(session_.on_path(true, now_));
  run(10ms);
  EXPECT_EQ(box_.heard_.size(), 1U);
  EXPECT_THAT(seen_, Not(testing::Contains("dead")));
}

TEST_F(BoxSessionTest, AWishThatNobodyHeardIsSaidAgainWhenThePathIsBack) {
  greet();
  reachable_ = false;
  perform(session_.on_path(false, now_));
  perform(session_.want(kOne, now_));
  run(3s);
  EXPECT_TRUE(box_.heard_.empty());
  reachable_ = true;
  perform(session_.on_path(true, now_));
  EXPECT_THAT(box_.heard_, testing::Contains("ff3e::8000:1 INCLUDE {2001:db8::1}"));
}

TEST_F(BoxSessionTest, ABoxThatRestartedMeanwhileIsNoticedASecondAfterThePathIsBack) {
  greet();
  perform(session_.want(kOne, now_));
  session_.on_signal(kOne, true, now_);
  reachable_ = false;  // and stays so: it answers checks, and knows no session
  session_.on_signal(kOne, false, now_);
  run(300ms);
  perform(session_.on_path(false, now_));
  run(2s);
  perform(session_.on_path(true, now_));
  run(990ms);
  EXPECT_THAT(seen_, Not(testing::Contains("dead")));
  run(20ms);
  EXPECT_EQ(seen_.back(), "dead");
}

TEST_F(BoxSessionTest, ABoxThatForgotUsIsNoticedWithinTwoSeconds) {
  greet();
  perform(session_.want(kOne, now_));
  session_.on_signal(kOne, true, now_);
  run(5s);
  reachable_ = false;
  session_.on_signal(kOne, false, now_);
  run(2s);
  EXPECT_THAT(seen_, testing::Contains("check path"));
  EXPECT_EQ(seen_.back(), "dead");
  EXPECT_EQ(session_.next_deadline(), kNever);
}

// Control packets are few, so that one burst of loss takes several of them.
TEST_F(BoxSessionTest, ABoxWhoseMediaComeHasNotRestarted) {
  greet();
  perform(session_.want(kOne, now_));
  session_.on_signal(kOne, true, now_);
  reachable_ = false;
  run(15s);  // within it a ping
  EXPECT_THAT(seen_, testing::IsEmpty());
  session_.on_signal(kOne, false, now_);
  run(1ms);
  EXPECT_THAT(seen_, ElementsAre("dead")) << "now it waits for an answer that is overdue";
}

TEST_F(BoxSessionTest, AnIdleSessionIsPingedAndItsDeathNoticed) {
  greet();
  run(30min);
  EXPECT_EQ(box_.heard_.size(), 6U);
  EXPECT_TRUE(seen_.empty());
  reachable_ = false;
  run(301s);
  EXPECT_THAT(seen_, ElementsAre("dead"));
}

TEST_F(BoxSessionTest, ASessionThatWatchesIsPingedMoreOften) {
  greet();
  run(1min);
  perform(session_.want(kOne, now_));
  session_.on_signal(kOne, true, now_);
  box_.heard_.clear();
  run(60s);
  EXPECT_EQ(box_.heard_.size(), 6U);
}

TEST_F(BoxSessionTest, AnIdleSessionWhoseBoxPerhapsBeganAnewAsksItAtOnce) {
  greet();
  run(1min);
  session_.doubt_box(now_);
  run(1s);
  EXPECT_EQ(box_.heard_.size(), 1U) << "it has not";
  EXPECT_TRUE(seen_.empty());
  reachable_ = false;
  session_.doubt_box(now_);
  run(1s);
  EXPECT_THAT(seen_, ElementsAre("dead"));
}

TEST_F(BoxSessionTest, ARefusedChannelIsNoSilence) {
  greet();
  perform(session_.want(kOne, now_));
  say(tunnel::Refusal{tunnel::RefusalCode::kNotGranted, "no", kOne});
  seen_.clear();
  run(5s);
  EXPECT_TRUE(seen_.empty());
}

// A wish of the laptop's kernel names no port; it shares the box's report with players.
TEST_F(BoxSessionTest, TheKernelsWishAndAPlayersAreOneMembership) {
  greet();
  perform(session_.want(kOne, now_));
  EXPECT_EQ(box_.heard_.size(), 1U);
  const FlowKey of_kernel{kOne.source, kOne.group, 0};
  perform(session_.want(of_kernel, now_));
  perform(session_.unwant(kOne, now_));
  EXPECT_EQ(box_.heard_.size(), 1U) << "somebody wants it all the time";
  perform(session_.unwant(of_kernel, now_));
  EXPECT_EQ(box_.heard_.back(), "ff3e::8000:1 INCLUDE {}");
}

TEST_F(BoxSessionTest, ARefusalOfOnePortIsAboutTheKernelsWish) {
  greet();
  perform(session_.want({std::nullopt, kTwo.group, 0}, now_));
  say(tunnel::Refusal{tunnel::RefusalCode::kNoSignal, "silent", kTwo});
  seen_.clear();
  run(5s);
  EXPECT_TRUE(seen_.empty()) << "what is refused is no silence of the path";
}

TEST_F(BoxSessionTest, PacketsToTheDevicesOwnAddressArePassedOn) {
  greet();
  const IpAddress box = *IpAddress::parse("fd01::1");
  const IpAddress own = *IpAddress::parse("fd01::2");
  const Buffer packet = wire::encode_ip6(
      {.next_header = wire::kProtocolIcmp6, .hop_limit = 64, .source = box, .destination = own},
      wire::encode_icmp6({129, 0, Buffer(8)}, box, own));
  perform(session_.on_inner(tunnel::encode_membership(packet), now_));
  EXPECT_THAT(seen_, ElementsAre("packet " + std::to_string(packet.size())));
}

TEST_F(BoxSessionTest, MalformedPacketsAreCounted) {
  greet();
  perform(session_.on_inner(as_bytes("x"), now_));
  perform(session_.on_inner({}, now_));
  say(tunnel::DeviceHello{});  // what only a device says
  EXPECT_EQ(session_.malformed(), 3U);
}

}  // namespace
}  // namespace hearthcast::away
