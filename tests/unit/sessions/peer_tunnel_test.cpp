#include "appliance/sessions/peer_tunnel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tunnelmgr/wire/membership_packet.hpp"

namespace hearthcast::sessions {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using wire::RecordType;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

const FlowKey kNews{ip("2001:db8::5"), ip("ff3e::1234"), 5000};
const FlowKey kFilm{std::nullopt, ip("239.1.2.3"), 5004};

struct PeerTunnelTest : testing::Test {
  PeerTunnelTest() {
    news = catalogue.apply({.flow = kNews, .rtp = false, .name = "News", .attributes = {}})->id;
    film = catalogue.apply({.flow = kFilm, .rtp = true, .name = "Film", .attributes = {}})->id;
  }
  std::shared_ptr<const access::Access> snapshot() const {
    return std::make_shared<const access::Access>(std::make_shared<const channels::Catalogue>(catalogue),
                                                  std::make_shared<const access::DeviceList>());
  }
  void open(access::Grants grants, bool carries_ip4 = true) {
    peer.emplace(PeerFacts{"cabin", std::move(grants), carries_ip4}, snapshot(), now);
    perform(peer->on_deadline(now));
  }
  void perform(const PeerActions& actions) {
    for (const auto& action : actions) {
      if (const auto* sent = std::get_if<SendMembership>(&action)) {
        const auto packet = wire::decode_membership_packet(sent->ip_packet);
        ASSERT_TRUE(packet);
        EXPECT_TRUE(std::holds_alternative<wire::MembershipQuery>(packet->message));
        (packet->source.is_ip4() ? queries4 : queries6) += 1;
      } else {
        ++changes;
      }
    }
  }
  void hear(const IpAddress& from, const IpAddress& to, wire::MembershipMessage message) {
    perform(peer->on_packet(wire::encode_membership_packet({from, to, std::move(message)}), now));
  }
  void report6(RecordType type, const IpAddress& group, std::vector<IpAddress> sources = {}) {
    hear(ip("fe80::c000:207"), wire::kAllMld2Routers,
         wire::MembershipReport{{{type, group, std::move(sources)}}});
  }
  void report4(RecordType type, const IpAddress& group, std::vector<IpAddress> sources = {}) {
    hear(ip("10.9.0.2"), wire::kAllIgmp3Routers, wire::MembershipReport{{{type, group, std::move(sources)}}});
  }
  void pass(Duration duration) {
    const Time end = now + duration;
    while (peer->next_deadline() <= end) {
      now = std::max(now, peer->next_deadline());
      perform(peer->on_deadline(now));
    }
    now = end;
  }

  channels::Catalogue catalogue;
  ChannelId news, film;
  Time now{1h};
  std::optional<PeerTunnel> peer;
  int queries4 = 0;
  int queries6 = 0;
  int changes = 0;
};

TEST_F(PeerTunnelTest, IsQuerierFromTheStart) {
  open({.all = true, .channels = {}});
  EXPECT_GT(queries6, 0);
  EXPECT_GT(queries4, 0);
  const int before = queries6;
  pass(30s);
  EXPECT_GE(queries6, before + 2);
}

TEST_F(PeerTunnelTest, AsksNoIgmpWhereIp4IsNotCarried) {
  open({.all = true, .channels = {}}, false);
  pass(30s);
  EXPECT_EQ(queries4, 0);
  EXPECT_GT(queries6, 0);
  report4(RecordType::kChangeToExclude, kFilm.group);
  EXPECT_THAT(peer->watching(), IsEmpty());
}

TEST_F(PeerTunnelTest, AKernelsReportsOfBothFamiliesBecomeFlows) {
  open({.all = true, .channels = {}});
  report6(RecordType::kAllowNewSources, kNews.group, {*kNews.source});
  EXPECT_THAT(peer->watching(), ElementsAre(kNews));
  report4(RecordType::kChangeToExclude, kFilm.group);
  EXPECT_THAT(peer->watching(), UnorderedElementsAre(kNews, kFilm));
  EXPECT_EQ(changes, 2);
  report6(RecordType::kBlockOldSources, kNews.group, {*kNews.source});
  report4(RecordType::kChangeToInclude, kFilm.group);
  EXPECT_THAT(peer->watching(), IsEmpty()) << "one host: what it leaves ends at once";
  EXPECT_EQ(changes, 4);
}

TEST_F(PeerTunnelTest, OlderKernelsAreServed) {
  open({.all = true, .channels = {}});
  hear(ip("fe80::1:1"), kNews.group, wire::OldReport{.version = 1, .group = kNews.group});
  hear(ip("10.9.0.2"), kFilm.group, wire::OldReport{.version = 2, .group = kFilm.group});
  EXPECT_THAT(peer->watching(), UnorderedElementsAre(kNews, kFilm));
}

TEST_F(PeerTunnelTest, GetsNothingBeyondItsGrants) {
  open({.all = false, .channels = {film}});
  report6(RecordType::kAllowNewSources, kNews.group, {*kNews.source});
  EXPECT_THAT(peer->watching(), IsEmpty());
  EXPECT_EQ(peer->refused(), 1U);
  EXPECT_THAT(peer->last_refusal(), HasSubstr("\"News\" for cabin"));
  report4(RecordType::kChangeToExclude, kFilm.group);
  EXPECT_THAT(peer->watching(), ElementsAre(kFilm));
  report4(RecordType::kChangeToExclude, ip("239.9.9.9"));
  EXPECT_EQ(peer->refused(), 2U) << "no channel of ours";
}

TEST_F(PeerTunnelTest, WithoutGrantsItGetsNothing) {
  open({});
  report6(RecordType::kChangeToExclude, kNews.group);
  report4(RecordType::kChangeToExclude, kFilm.group);
  EXPECT_THAT(peer->watching(), IsEmpty());
}

TEST_F(PeerTunnelTest, AChannelThatIsTakenAwayEndsAtOnce) {
  open({.all = true, .channels = {}});
  report4(RecordType::kChangeToExclude, kFilm.group);
  ASSERT_TRUE(catalogue.remove(film));
  perform(peer->on_access(snapshot(), now));
  EXPECT_THAT(peer->watching(), IsEmpty());
  film = catalogue.apply({.flow = kFilm, .rtp = true, .name = "Film", .attributes = {}})->id;
  perform(peer->on_access(snapshot(), now));
  EXPECT_THAT(peer->watching(), ElementsAre(kFilm)) << "it still wants it";
}

TEST_F(PeerTunnelTest, APeerThatFallsSilentIsSentNothingMore) {
  open({.all = true, .channels = {}});
  report4(RecordType::kChangeToExclude, kFilm.group);
  pass(15s);
  EXPECT_THAT(peer->watching(), ElementsAre(kFilm));
  pass(30s);
  EXPECT_THAT(peer->watching(), IsEmpty());
}

TEST_F(PeerTunnelTest, CountsWhatIsNoReport) {
  open({.all = true, .channels = {}});
  perform(peer->on_packet(Buffer{0x60, 0, 0, 0}, now));
  perform(peer->on_packet({}, now));
  EXPECT_EQ(peer->unwanted(), 2U);
  EXPECT_THAT(peer->memberships(now), testing::SizeIs(2));
}

}  // namespace
}  // namespace hearthcast::sessions
