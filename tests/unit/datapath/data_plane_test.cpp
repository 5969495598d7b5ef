// What the data threads of box and client have in common, by a program that adds next to nothing.
#include "tunnelmgr/datapath/data_plane.hpp"

#include <gmock/gmock.h>

#include <atomic>
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
struct Tell {  // down: count what sessions send there, too, for who does not look at the queue
  std::atomic<int>* inner;
};
struct Counted {  // up, at each report
  PortCounters port;
  std::uint64_t records = 0;
};
struct Noticed {  // up
  std::string what;
};

using Down =
    std::variant<Stop, AddSession, MoveSession, RemoveSession, SendInner, PassToSession, Watch, Fill, Tell>;
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
  void perform(Tell message) { told_ = message.inner; }
  void take(Down message) override {
    std::visit([this](auto&& m) { perform(std::forward<decltype(m)>(m)); }, std::move(message));
  }
  void on_event(const linux::Epoll::Event& event) override {
    mailbox_.say_surely(Noticed{"event " + std::to_string(event.token - kFirstToken)});
    watched_->drain();
  }
  void on_inner(Peer& peer, const Endpoint& from, Bytes gre) override {
    say(InnerReceived{peer.id, from, Buffer(gre.begin(), gre.end())});
    if (told_ != nullptr) {
      ++*told_;
    }
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
  std::atomic<int>* told_ = nullptr;
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

const Buffer kCheck = *from_hex("000100002112a442000102030405060708090a0b");
const Buffer kHandshake = *from_hex("16fefd0000000000000000000101");

// Until the data thread has read so many.
std::optional<PortCounters> read_at_least(Probe& probe, std::uint64_t datagrams) {
  const auto counted = probe.wait_for<Counted>(
      [&](const Counted& c) { return c.port.datagrams + c.port.kernel_drops >= datagrams; });
  return counted ? std::optional(counted->port) : std::nullopt;
}

TEST(DataPlane, AStrangersFloodIsCutToItsShareAndASessionsIsNot) {
  Probe probe;
  DeviceInTest stranger(2);
  DeviceInTest known(1);
  probe.post(known.session());
  EXPECT_TRUE(notices(probe, "added"));
  constexpr int kMany = 1500;  // fit into the receive buffer
  const Time begin = Clock::now();
  for (int n = 0; n < kMany; ++n) {
    stranger.send_raw(probe.endpoint(), n % 2 == 0 ? kCheck : kHandshake);
  }
  const auto flooded = read_at_least(probe, kMany);
  const std::chrono::duration<double> passed = Clock::now() - begin;
  ASSERT_TRUE(flooded);
  EXPECT_GE(static_cast<double>(flooded->over_budget + flooded->crowded + flooded->kernel_drops),
            kMany - SourceBudget::kOfOne * (1 + passed.count()));
  EXPECT_GT(flooded->over_budget, 0U);
  known.send_raw(probe.endpoint(), kCheck);
  EXPECT_TRUE(
      probe.wait_for<StunReceived>([&](const StunReceived& s) { return s.from == known.endpoint(); }));
}

TEST(DataPlane, WhoIsFarBehindIsTroubledBySessionsOnly) {
  std::atomic<int> came = 0;
  Probe probe;
  DeviceInTest known(1);
  probe.post(known.session());
  probe.post(Tell{&came});
  EXPECT_TRUE(notices(probe, "added"));
  // The control thread, which this is, takes nothing meanwhile.
  probe.post(Fill{static_cast<int>(Mailbox<Down, Up>::kUpOfAnybody)});
  known.send_raw(probe.endpoint(), kCheck);  // anybody can send it in its name
  known.send_raw(probe.endpoint(), kHandshake);
  known.send(probe.endpoint(), kControl);
  for (const Time end = Clock::now() + kPatience; came == 0 && Clock::now() < end;) {
    std::this_thread::yield();
  }
  EXPECT_TRUE(probe.wait_for<InnerReceived>());
  EXPECT_TRUE(probe.wait_for<Counted>([](const Counted& c) { return c.port.crowded == 2; }));
  known.send_raw(probe.endpoint(), kCheck);
  EXPECT_TRUE(probe.wait_for<StunReceived>()) << "there is room again";
}

TEST(DataPlane, WhatTheKernelDropsIsCountedToo) {
  auto port = open_port();
  const auto room = port.receive_buffer();
  DeviceInTest stranger(2);
  const Endpoint there{kLoopback, port.port()};
  for (std::size_t octets = 0; octets < 2 * room; octets += 1000) {  // before anybody reads
    stranger.send_raw(there, Buffer(1000, 0xff));
  }
  Probe probe(std::move(port));
  EXPECT_TRUE(probe.wait_for<Counted>([&](const Counted& c) {
    stranger.send_raw(there, kCheck);  // only what is queued afterwards carries the count
    return c.port.kernel_drops > 0;
  }));
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

TEST(DataPlane, APortThatCannotBeWatchedIsAFailureAtTheStart) {
  SilentLog log;
  auto port = open_port();
  const auto taken = std::move(port);
  // NOLINTNEXTLINE(bugprone-use-after-move): that it is none is the matter
  EXPECT_THROW(DataPlane<ProbeLoop>(port, log), std::system_error);
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
