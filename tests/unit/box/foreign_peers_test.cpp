#include "appliance/app/foreign_peers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tunnelmgr/linux/multicast_socket.hpp"
#include "tunnelmgr/wire/membership_packet.hpp"

namespace hearthcast::app {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const FlowKey kNews{std::nullopt, *IpAddress::parse("ff3e::1234"), 5000};
const Endpoint kThere{*IpAddress::parse("192.0.2.7"), 4754};

class SilentLog : public Log {
  void write(Level, std::string_view, std::initializer_list<hearthcast::Field>) override {}
};

struct ForeignPeersTest : testing::Test {
  ForeignPeersTest() {
    news = catalogue.apply({.flow = kNews, .rtp = false, .name = "News", .attributes = {}})->id;
    peers.on_access(access(), now);
    id = peers.add({.name = "cabin",
                    .encapsulation = "gre-udp",
                    .grants = {.all = true, .channels = {}},
                    .learnt = true,
                    .trouble = ""});
  }
  std::shared_ptr<const access::Access> access() const {
    return std::make_shared<const access::Access>(std::make_shared<const channels::Catalogue>(catalogue),
                                                  std::make_shared<const access::DeviceList>());
  }
  void at(const std::optional<Endpoint>& endpoint) {
    EXPECT_TRUE(peers.on_up(forward::ClearEndpoint{id, endpoint}, now));
  }
  void join(wire::RecordType type = wire::RecordType::kChangeToExclude) {
    const auto report = wire::encode_membership_packet({*IpAddress::parse("fe80::2"), wire::kAllMld2Routers,
                                                        wire::MembershipReport{{{type, kNews.group, {}}}}});
    EXPECT_TRUE(peers.on_up(forward::ClearReceived{id, report}, now));
  }
  api::PeerLive live(const forward::Statistics* statistics = nullptr,
                     const std::vector<FlowStatus>& flows = {}) {
    const auto all = peers.live(statistics, flows, catalogue);
    EXPECT_EQ(all.size(), 1U);
    return all.at(0);
  }

  channels::Catalogue catalogue;
  ChannelId news;
  SilentLog log;
  Time now{1h};
  int queries = 0;
  std::vector<std::set<FlowKey>> watched;
  ForeignPeers peers{log,
                     {.post =
                          [this](const forward::Down& message) {
                            queries += std::holds_alternative<forward::SendClear>(message) ? 1 : 0;
                          },
                      .watch =
                          [this](PeerId peer, const std::set<FlowKey>& flows, Time) {
                            EXPECT_EQ(peer, id);
                            watched.push_back(flows);
                          }}};
  PeerId id;
};

TEST_F(ForeignPeersTest, AsksAPeerAsSoonAsItIsSomewhere) {
  EXPECT_EQ(peers.next_deadline(), kNever);
  EXPECT_EQ(queries, 0);
  at(kThere);
  EXPECT_GT(queries, 0);
  EXPECT_LT(peers.next_deadline(), kNever);
  const int before = queries;
  for (int i = 0; i < 20; ++i) {
    now = std::max(now, peers.next_deadline());
    peers.on_deadline(now);
  }
  EXPECT_GT(queries, before);
}

TEST_F(ForeignPeersTest, ItsReportsBecomeWhatItWatches) {
  at(kThere);
  join();
  ASSERT_THAT(watched, ElementsAre(std::set{kNews}));
  join(wire::RecordType::kChangeToInclude);
  EXPECT_THAT(watched.back(), IsEmpty());
}

TEST_F(ForeignPeersTest, MovesWithoutLosingWhatItWatches) {
  at(kThere);
  join();
  at(Endpoint{*IpAddress::parse("198.51.100.9"), 1});
  EXPECT_THAT(watched, ElementsAre(std::set{kNews}));
  EXPECT_EQ(live().endpoint->to_string(), "198.51.100.9:1");
}

TEST_F(ForeignPeersTest, APeerThatIsNowhereWatchesNothing) {
  join();
  EXPECT_THAT(watched, IsEmpty()) << "it was not there yet";
  at(kThere);
  join();
  at(std::nullopt);
  EXPECT_THAT(watched.back(), IsEmpty());
  EXPECT_EQ(peers.next_deadline(), kNever);
  EXPECT_FALSE(live().endpoint);
}

TEST_F(ForeignPeersTest, LosesAChannelThatIsGone) {
  at(kThere);
  join();
  ASSERT_TRUE(catalogue.remove(news));
  peers.on_access(access(), now);
  EXPECT_THAT(watched.back(), IsEmpty());
}

TEST_F(ForeignPeersTest, LeavesOtherMessagesToOthers) {
  EXPECT_FALSE(peers.on_up(forward::FlowSignal{FlowId{1}, true}, now));
  EXPECT_TRUE(peers.on_up(forward::ClearReceived{PeerId{5}, {}}, now)) << "of no peer: dropped here";
}

TEST_F(ForeignPeersTest, ShowsWhatItKnows) {
  at(kThere);
  EXPECT_EQ(live().name, "cabin");
  EXPECT_EQ(live().encapsulation, "gre-udp");
  EXPECT_TRUE(live().learnt);
  forward::Statistics statistics;
  statistics.viewers = {
      {FlowId{4}, id, 10, 1000, 1}, {FlowId{4}, PeerId{1}, 7, 7, 7}, {FlowId{5}, id, 1, 100, 0}};
  tunnel::StaticPeerCounters counters{.received = 3, .moves = 2, .challenges = 0, .dropped = {}};
  counters.dropped[static_cast<std::size_t>(tunnel::Drop::kReplay)] = 9;
  statistics.clear_peers = {{id, now, counters}};
  FlowStatus flow{.key = kNews,
                  .id = FlowId{4},
                  .started = now,
                  .signal = true,
                  .failure = "",
                  .viewers = {id},
                  .counters = {}};
  const auto shown = live(&statistics, {flow});
  EXPECT_THAT(shown.watching, ElementsAre(news));
  EXPECT_EQ(shown.packets, 11U);
  EXPECT_EQ(shown.bytes, 1100U);
  EXPECT_EQ(shown.send_dropped, 1U);
  EXPECT_EQ(shown.received, 3U);
  EXPECT_EQ(shown.moves, 2U);
  EXPECT_EQ(shown.last_received, now);
  EXPECT_EQ(shown.drops.size(), tunnel::kDropReasons);
  EXPECT_THAT(shown.drops, testing::Contains(multicast::Drop{"replay", 9}));
}

TEST_F(ForeignPeersTest, TellsWhatWasRefusedAndWhatDidNotOpen) {
  ASSERT_TRUE(catalogue.remove(news));
  peers.on_access(access(), now);
  at(kThere);
  join();
  EXPECT_THAT(live().refusal, HasSubstr("no channel at this address"));
  peers.set_trouble(id, "no raw socket");
  EXPECT_EQ(live().trouble, "no raw socket");
}

TEST_F(ForeignPeersTest, CountsStrangersAtAllPorts) {
  EXPECT_EQ(ForeignPeers::strangers(nullptr), 0U);
  forward::Statistics statistics;
  statistics.clear_ports = {{.port = 0, .datagrams = 9, .unknown = 2},
                            {.port = 1, .datagrams = 5, .unknown = 5}};
  EXPECT_EQ(ForeignPeers::strangers(&statistics), 7U);
}

}  // namespace
}  // namespace hearthcast::app
