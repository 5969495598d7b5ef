// What the data threads of box and client have in common, by a program that adds next to nothing.
#include "tunnelmgr/datapath/data_plane.hpp"

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "tests/unit/datapath/device_in_test.hpp"
#include "tests/unit/datapath/plane_in_test.hpp"
#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/datapath/session_loop.hpp"
#include "tunnelmgr/linux/event_fd.hpp"

namespace hearthcast::datapath {
namespace {

using namespace std::chrono_literals;

struct Watch {  // down: a descriptor of the program
  linux::EventFd* event;
};
struct Fill {  // down: say so many
  int count;
};
struct Counted {  // up, at each report
  PortCounters port;
  std::uint64_t records = 0;
};
struct Noticed {  // up
  std::string what;
};

using Down =
    std::variant<Stop, AddSession, MoveSession, RemoveSession, SendInner, PassToSession, Watch, Fill>;
using Up = std::variant<StunReceived, HandshakeReceived, InnerReceived, SessionClosed, RelayStreamChanged,
                        Counted, Noticed>;

class ProbeLoop final : public SessionLoop<Down, Up> {
 public:
  ProbeLoop(linux::UdpSocket& socket, Log& log) : SessionLoop(socket, log, 20ms) {}

 private:
  using SessionLoop::perform;
  void perform(Watch message) {
    watched_ = message.event;
    EXPECT_TRUE(epoll_.add(watched_->fd(), kFirstToken + 7));
  }
  void perform(Fill message) {
    for (int n = 0; n < message.count; ++n) {
      mailbox_.say_surely(Noticed{std::to_string(n)});
    }
  }
  void take(Down message) override {
    std::visit([this](auto&& m) { perform(std::forward<decltype(m)>(m)); }, std::move(message));
  }
  void on_event(const linux::Epoll::Event& event) override {
    mailbox_.say_surely(Noticed{"event " + std::to_string(event.token - kFirstToken)});
    watched_->drain();
  }
  void on_inner(Peer& peer, const Endpoint& from, Bytes gre) override {
    say(InnerReceived{peer.id, from, Buffer(gre.begin(), gre.end())});
  }
  void on_session_added() override { mailbox_.say_surely(Noticed{"added"}); }
  void on_session_gone() override { mailbox_.say_surely(Noticed{"gone"}); }
  void on_tick() override {}
  void on_report() override {
    Counted counted{counters_};
    for (const auto& [id, peer] : sessions_.peers()) {
      counted.records += peer->records;
    }
    say(counted);
  }

  linux::EventFd* watched_ = nullptr;
};

using Probe = PlaneInTest<DataPlane<ProbeLoop>>;

const Buffer kControl = *from_hex("000088b50101000000010000");

bool notices(Probe& probe, const std::string& what) {
  return probe.wait_for<Noticed>([&](const Noticed& n) { return n.what == what; }).has_value();
}

TEST(DataPlane, StunAndHandshakesComeUpWithTheirSender) {
  Probe probe;
  DeviceInTest stranger(2);
  stranger.send_raw(probe.endpoint(), *from_hex("000100002112a442000102030405060708090a0b"));
  const auto stun = probe.wait_for<StunReceived>();
  ASSERT_TRUE(stun);
  EXPECT_EQ(stun->from, stranger.endpoint());
  EXPECT_EQ(stun->datagram, *from_hex("000100002112a442000102030405060708090a0b"));
  stranger.send_raw(probe.endpoint(), *from_hex("16fefd0000000000000000000101"));
  const auto handshake = probe.wait_for<HandshakeReceived>();
  ASSERT_TRUE(handshake);
  EXPECT_EQ(handshake->from, stranger.endpoint());
  EXPECT_EQ(handshake->peer, PeerId{});
}

TEST(DataPlane, ASessionCarriesBothWays) {
  Probe probe;
  DeviceInTest one(1);
  probe.post(one.session());
  EXPECT_TRUE(notices(probe, "added"));
  probe.post(SendInner{one.id(), kControl});
  EXPECT_THAT(one.receive(1), testing::ElementsAre(kControl));
  one.send(probe.endpoint(), kControl);
  const auto inner = probe.wait_for<InnerReceived>();
  ASSERT_TRUE(inner);
  EXPECT_EQ(inner->peer, one.id());
  EXPECT_EQ(inner->from, one.endpoint());
  EXPECT_EQ(inner->gre, kControl);
  EXPECT_TRUE(probe.wait_for<Counted>([](const Counted& c) { return c.records == 1; }));
}

TEST(DataPlane, WhatIsPostedBeforeTheDatagramsOfATurnIsDoneFirst) {
  Probe probe;
  DeviceInTest one(1);
  probe.post(one.session());
  one.send(probe.endpoint(), kControl);  // sent after the post: its session is there
  EXPECT_TRUE(probe.wait_for<InnerReceived>());
}

TEST(DataPlane, AMovedSessionIsSentToItsNewEndpointAndHeardFromBoth) {
  Probe probe;
  DeviceInTest one(1);
  auto elsewhere = open_port();
  probe.post(one.session());
  probe.post(MoveSession{one.id(), {kLoopback, elsewhere.port()}});
  probe.post(SendInner{one.id(), kControl});
  EXPECT_TRUE(readable(elsewhere.fd()));
  one.send(probe.endpoint(), kControl);
  EXPECT_TRUE(probe.wait_for<InnerReceived>()) << "the former endpoint is still heard";
}

TEST(DataPlane, ARemovedSessionIsToldIfWished) {
  Probe probe;
  DeviceInTest told(1);
  DeviceInTest untold(2);
  probe.post(told.session());
  probe.post(untold.session());
  probe.post(RemoveSession{untold.id(), false});
  EXPECT_TRUE(notices(probe, "gone"));
  probe.post(RemoveSession{told.id()});
  EXPECT_TRUE(notices(probe, "gone"));
  EXPECT_TRUE(told.closed());
  probe.post(RemoveSession{told.id()});  // unknown by now: nothing happens
  untold.send(probe.endpoint(), kControl);
  EXPECT_TRUE(probe.wait_for<Counted>([](const Counted& c) { return c.port.unvouched == 1; }));
}

TEST(DataPlane, APeersGoodbyeComesUp) {
  Probe probe;
  auto ends = Established::make();
  auto device = open_port();
  probe.post(AddSession{PeerId{4}, {kLoopback, device.port()}, std::move(ends.server)});
  EXPECT_TRUE(notices(probe, "added"));
  Buffer record(128);
  record.resize(ends.client->close(record));
  (void)device.send(probe.endpoint(), record);
  EXPECT_TRUE(notices(probe, "gone"));
  const auto closed = probe.wait_for<SessionClosed>();
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->peer, PeerId{4});
  EXPECT_FALSE(closed->reason.empty());
}

TEST(DataPlane, WhatCannotBeSentIsCounted) {
  Probe probe;
  DeviceInTest one(1);
  probe.post(one.session());
  probe.post(SendInner{PeerId{99}, kControl});
  probe.post(SendInner{one.id(), Buffer(kMaxInnerSize + 1)});
  probe.post(PassToSession{PeerId{99}, kControl});
  EXPECT_TRUE(probe.wait_for<Counted>([](const Counted& c) { return c.port.send_dropped == 2; }));
  probe.post(SendInner{one.id(), kControl});
  EXPECT_EQ(one.receive(1).size(), 1U);
}

TEST(DataPlane, TheProgramsOwnDescriptorsAreItsOwn) {
  linux::EventFd event;  // outlives the thread that watches it
  Probe probe;
  probe.post(Watch{&event});
  event.signal();
  EXPECT_TRUE(notices(probe, "event 7"));
}

TEST(DataPlane, WhatMustBeSaidWaitsForRoomAndKeepsItsOrder) {
  Probe probe;
  constexpr int kMany = static_cast<int>(Mailbox<Down, Up>::kUpCapacity) + 500;
  probe.post(Fill{kMany});
  int next = 0;
  const auto last = probe.wait_for<Noticed>([&](const Noticed& n) {
    EXPECT_EQ(n.what, std::to_string(next));
    return ++next == kMany;
  });
  EXPECT_TRUE(last);
}

TEST(DataPlane, StoppingSaysGoodbyeAndMayBeRepeated) {
  DeviceInTest one(1);
  Probe probe;
  probe.post(one.session());
  probe.stop();
  probe.stop();
  EXPECT_TRUE(one.closed());
}

TEST(DataPlane, WhatIsPostedBeforeTheStartIsDone) {
  SilentLog log;
  auto port = open_port();
  DataPlane<ProbeLoop> plane(port, log);
  plane.stop();  // not started: nothing to do
  DeviceInTest one(1);
  EXPECT_TRUE(plane.post(one.session()));
  EXPECT_TRUE(plane.post(SendInner{one.id(), kControl}));
  plane.start();
  EXPECT_EQ(one.receive(1).size(), 1U);
}

TEST(DataPlane, AFullQueueRefuses) {
  SilentLog log;
  auto port = open_port();
  DataPlane<ProbeLoop> plane(port, log);  // never started: nobody empties it
  std::size_t taken = 0;
  while (plane.post(Fill{0})) {
    ++taken;
    ASSERT_LE(taken, (Mailbox<Down, Up>::kCapacity));
  }
  EXPECT_GE(taken, (Mailbox<Down, Up>::kCapacity) - 1);
}

TEST(DataPlane, TheWatchdogSeesAThreadThatHangs) {
  SilentLog log;
  auto port = open_port();
  ProbeLoop loop(port, log);
  const Time now = Clock::now();
  EXPECT_TRUE(loop.alive(now)) << "not begun";
  EXPECT_TRUE(loop.mailbox().post(Stop{}));
  std::thread([&] { loop.run(); }).join();
  EXPECT_TRUE(loop.alive(Clock::now())) << "stopped before its first turn";
  ProbeLoop turned(port, log);
  std::thread thread([&] { turned.run(); });
  while (turned.alive(now + 1h) && Clock::now() < now + kPatience) {
    std::this_thread::yield();
  }
  EXPECT_TRUE(turned.alive(Clock::now()));
  EXPECT_FALSE(turned.alive(Clock::now() + 11s)) << "as if nothing had turned for that long";
  EXPECT_TRUE(turned.mailbox().post(Stop{}));
  thread.join();
}

}  // namespace
}  // namespace hearthcast::datapath
