#include "appliance/sessions/lan_players.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/unit/access/people.hpp"

namespace hearthcast::sessions {
namespace {

using namespace std::chrono_literals;
using access::testing_people::identity;
using access::testing_people::key;
using access::testing_people::listing;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const FlowKey kNews{std::nullopt, *IpAddress::parse("239.1.1.1"), 5000};
const FlowKey kFilm{IpAddress::parse("2001:db8::1"), *IpAddress::parse("ff3e::1"), 5000};
const FlowKey kFilmWithoutSource{std::nullopt, kFilm.group, kFilm.port};

Sha256 link(std::uint8_t n) {
  Sha256 hash;
  hash.fill(n);
  return hash;
}

// One action in a line of text.
std::string say(const LanAction& action) {
  if (const auto* watch = std::get_if<LanWatch>(&action)) {
    std::string text = "watch " + std::to_string(watch->device.value);
    for (const FlowKey& flow : watch->flows) {
      text += " " + flow.to_string();
    }
    return text;
  }
  if (const auto* play = std::get_if<LanPlay>(&action)) {
    return "play " + std::to_string(play->player.value) + " " + play->flow.to_string();
  }
  if (const auto* answer = std::get_if<LanAnswer>(&action)) {
    return std::to_string(answer->status) + " " + std::to_string(answer->player.value) + " " +
           std::string(answer->reason);
  }
  return "cut " + std::to_string(std::get<LanCut>(action).player.value);
}

std::vector<std::string> say(const LanActions& actions) {
  std::vector<std::string> lines;
  for (const auto& action : actions) {
    lines.push_back(say(action));
  }
  return lines;
}

class LanPlayersTest : public testing::Test {
 protected:
  LanPlayersTest() {
    news = catalogue.apply(listing("News", "239.1.1.1", 5000)).value().id;
    film = catalogue.apply(listing("Film", "ff3e::1", 5000, "2001:db8::1")).value().id;
    tv = add(1, "television");
    kitchen = add(2, "kitchen");
  }
  DeviceId add(std::uint8_t n, const char* name) {
    const DeviceId id = devices.paired(identity(n), key(n), name).value();
    EXPECT_TRUE(devices.set_state(id, access::DeviceState::kApproved));
    EXPECT_TRUE(devices.set_grants(id, {true, {}}));
    EXPECT_TRUE(devices.set_lan_link(id, link(n)));
    return id;
  }
  access::Access access() const {
    return {std::make_shared<const channels::Catalogue>(catalogue),
            std::make_shared<const access::DeviceList>(devices)};
  }
  std::vector<std::string> ask(int player, DeviceId device, const FlowKey& flow) {
    return say(players.on_request(PlayerId{player}, access(), *devices.find(device), flow, now));
  }
  std::vector<std::string> signal(const FlowKey& flow, bool present = true) {
    return say(players.on_signal(flow, present, now));
  }

  channels::Catalogue catalogue;
  access::DeviceList devices;
  ChannelId news, film;
  DeviceId tv, kitchen;
  LanPlayers players;
  Time now{1h};
};

TEST_F(LanPlayersTest, TheFirstPlayerOpensTheFlowAndPlaysWhenDataComes) {
  EXPECT_THAT(ask(1, tv, kNews), ElementsAre("watch 1 239.1.1.1:5000"));
  EXPECT_FALSE(players.is_playing(PlayerId{1}));
  EXPECT_THAT(signal(kFilm), IsEmpty());
  EXPECT_THAT(signal(kNews), ElementsAre("play 1 239.1.1.1:5000"));
  EXPECT_TRUE(players.is_playing(PlayerId{1}));
  EXPECT_THAT(signal(kNews), IsEmpty()) << "once";
}

TEST_F(LanPlayersTest, ASecondPlayerOfOneDeviceJoinsNothing) {
  (void)ask(1, tv, kNews);
  EXPECT_THAT(ask(2, tv, kNews), IsEmpty());
  EXPECT_THAT(signal(kNews), ElementsAre("play 1 239.1.1.1:5000", "play 2 239.1.1.1:5000"));
  EXPECT_THAT(say(players.on_gone(PlayerId{1})), IsEmpty());
  EXPECT_THAT(say(players.on_gone(PlayerId{2})), ElementsAre("watch 1"));
  EXPECT_THAT(players.players(), IsEmpty());
}

TEST_F(LanPlayersTest, EachDeviceWatchesItsOwnFlows) {
  EXPECT_THAT(ask(1, tv, kNews), ElementsAre("watch 1 239.1.1.1:5000"));
  EXPECT_THAT(ask(2, kitchen, kNews), ElementsAre("watch 2 239.1.1.1:5000"));
  EXPECT_THAT(ask(3, tv, kFilm), ElementsAre("watch 1 239.1.1.1:5000 [2001:db8::1]@[ff3e::1]:5000"));
  EXPECT_THAT(say(players.on_gone(PlayerId{1})), ElementsAre("watch 1 [2001:db8::1]@[ff3e::1]:5000"));
}

TEST_F(LanPlayersTest, AnAddressWithoutSourceOpensTheChannelWithItsSource) {
  EXPECT_THAT(ask(1, tv, kFilmWithoutSource), ElementsAre("watch 1 [2001:db8::1]@[ff3e::1]:5000"));
  EXPECT_THAT(signal(kFilm), ElementsAre("play 1 [2001:db8::1]@[ff3e::1]:5000"));
}

TEST_F(LanPlayersTest, WhatIsRefusedJoinsNothing) {
  EXPECT_THAT(ask(1, tv, {std::nullopt, kNews.group, 5001}), ElementsAre("404 1 unknown_channel"));
  ASSERT_TRUE(devices.set_grants(tv, {false, {film}}));
  EXPECT_THAT(ask(2, tv, kNews), ElementsAre("403 2 not_granted"));
  ASSERT_TRUE(devices.set_state(tv, access::DeviceState::kRevoked));
  EXPECT_THAT(ask(3, tv, kFilm), ElementsAre("403 3 revoked"));
  EXPECT_THAT(players.players(), IsEmpty());
}

TEST_F(LanPlayersTest, NoDeviceAndNotAllTogetherGetMoreThanTheirShare) {
  int id = 0;
  for (std::size_t n = 0; n < LanPlayers::kMaxPerDevice; ++n) {
    (void)ask(++id, tv, kNews);
  }
  EXPECT_THAT(ask(++id, tv, kNews), ElementsAre("503 17 limit"));
  (void)players.on_gone(PlayerId{3});
  EXPECT_THAT(ask(++id, tv, kNews), IsEmpty()) << "one has left";
  std::uint8_t next = 10;
  while (players.players().size() < LanPlayers::kMaxPlayers) {
    const DeviceId more = add(next++, "more");
    for (std::size_t n = 0; n < LanPlayers::kMaxPerDevice; ++n) {
      (void)ask(++id, more, kNews);
    }
  }
  EXPECT_THAT(ask(++id, kitchen, kNews), ElementsAre(HasSubstr("limit")));
  EXPECT_EQ(players.players().size(), LanPlayers::kMaxPlayers);
}

TEST_F(LanPlayersTest, WhoWaitsInVainIsToldAndLetGo) {
  EXPECT_EQ(players.next_deadline(), kNever);
  (void)ask(1, tv, kNews);
  EXPECT_EQ(players.next_deadline(), now + LanPlayers::kPatience);
  now += 1s;
  (void)ask(2, tv, kNews);
  now += LanPlayers::kPatience - 1s;
  EXPECT_THAT(say(players.on_deadline(now)), ElementsAre("503 1 no_signal"));
  now += 1s;
  EXPECT_THAT(say(players.on_deadline(now)), ElementsAre("503 2 no_signal", "watch 1"));
  EXPECT_EQ(players.next_deadline(), kNever);
}

TEST_F(LanPlayersTest, WhoPlaysStaysThroughSilence) {
  (void)ask(1, tv, kNews);
  (void)signal(kNews);
  EXPECT_THAT(signal(kNews, false), IsEmpty());
  EXPECT_EQ(players.next_deadline(), kNever);
  EXPECT_THAT(say(players.on_deadline(now + 1h)), IsEmpty());
  EXPECT_TRUE(players.is_playing(PlayerId{1}));
}

TEST_F(LanPlayersTest, WhateverEndsThePermissionCutsThePlayersAndTheFlow) {
  const std::vector<std::pair<const char*, std::function<void()>>> changes = {
      {"revoked", [&] { (void)devices.set_state(tv, access::DeviceState::kRevoked); }},
      {"forgotten", [&] { (void)devices.forget(tv); }},
      {"grant withdrawn",
       [&] {
         (void)devices.set_grants(tv, {false, {film}});
       }},
      {"link taken away", [&] { (void)devices.set_lan_link(tv, std::nullopt); }},
      {"another link", [&] { (void)devices.set_lan_link(tv, link(77)); }},
      {"channel removed", [&] { (void)catalogue.remove(news); }},
  };
  const auto whole_devices = devices;
  const auto whole_catalogue = catalogue;
  for (const auto& [name, change] : changes) {
    devices = whole_devices;
    catalogue = whole_catalogue;
    players = LanPlayers();
    (void)ask(1, tv, kNews);
    (void)signal(kNews);
    (void)ask(2, kitchen, kFilm);
    EXPECT_THAT(say(players.on_access(access())), IsEmpty()) << name;
    change();
    EXPECT_THAT(say(players.on_access(access())), ElementsAre("cut 1", "watch 1")) << name;
    EXPECT_FALSE(players.is_playing(PlayerId{1})) << name;
    EXPECT_EQ(players.players().size(), 1U) << name;
  }
}

TEST_F(LanPlayersTest, WhoStillWaitsIsAnsweredWhenItsPermissionEnds) {
  (void)ask(1, tv, kNews);
  ASSERT_TRUE(devices.set_lan_link(tv, std::nullopt));
  EXPECT_THAT(say(players.on_access(access())), ElementsAre("403 1 revoked", "watch 1"));
}

TEST_F(LanPlayersTest, TheEndOfWhoIsNotKnownMeansNothing) {
  (void)ask(1, tv, kNews);
  EXPECT_THAT(say(players.on_gone(PlayerId{9})), IsEmpty());
  EXPECT_THAT(say(players.on_gone(PlayerId{1})), ElementsAre("watch 1"));
  EXPECT_THAT(say(players.on_gone(PlayerId{1})), IsEmpty());
}

}  // namespace
}  // namespace hearthcast::sessions
