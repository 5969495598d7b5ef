#include "tunnelmgr/away/viewing.hpp"

#include <gmock/gmock.h>

namespace hearthcast::away {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

const Time t0 = Time{} + 1h;
const FlowKey kOne{IpAddress::parse("2001:db8::1"), *IpAddress::parse("ff3e::8000:1"), 5004};
const FlowKey kTwo{std::nullopt, *IpAddress::parse("239.1.1.2"), 5004};

std::vector<std::string> words(const ViewingActions& actions) {
  struct Words {
    std::string operator()(const Want& a) const { return "want " + std::to_string(a.channel.value); }
    std::string operator()(const Unwant& a) const { return "unwant " + std::to_string(a.channel.value); }
    std::string operator()(const Play& a) const { return "play " + std::to_string(a.request.value); }
    std::string operator()(const Answer& a) const {
      EXPECT_FALSE(a.text.empty());
      return std::to_string(a.request.value) + ": " + std::to_string(a.status);
    }
  };
  std::vector<std::string> result;
  for (const auto& action : actions) {
    result.push_back(std::visit(Words{}, action));
  }
  return result;
}

class ViewingTest : public testing::Test {
 protected:
  ViewingTest() {
    (void)viewing_.on_channels(
        {{ChannelId{1}, "One", kOne, false, {}}, {ChannelId{2}, "Two", kTwo, false, {}}});
    (void)viewing_.on_reachability({true, true, 503, "connected"});
  }
  std::vector<std::string> request(int id, int channel, Time now = t0) {
    return words(viewing_.on_request(RequestId{id}, ChannelId{channel}, now));
  }
  Viewing viewing_;
};

TEST_F(ViewingTest, TheFirstRequestWantsTheLastPlayerEnds) {
  EXPECT_THAT(request(1, 1), ElementsAre("want 1"));
  EXPECT_THAT(request(2, 1), ElementsAre()) << "one copy for both";
  EXPECT_EQ(viewing_.wanted(), std::vector<FlowKey>{kOne});
  EXPECT_THAT(words(viewing_.on_signal(ChannelId{1}, true)), ElementsAre("play 1", "play 2"));
  EXPECT_THAT(request(3, 1), ElementsAre("play 3"));
  EXPECT_THAT(words(viewing_.on_player_gone(ChannelId{1})), ElementsAre());
  EXPECT_THAT(words(viewing_.on_player_gone(ChannelId{1})), ElementsAre());
  EXPECT_THAT(words(viewing_.on_player_gone(ChannelId{1})), ElementsAre("unwant 1"));
  EXPECT_TRUE(viewing_.wanted().empty());
  EXPECT_THAT(words(viewing_.on_player_gone(ChannelId{1})), ElementsAre()) << "said twice";
}

TEST_F(ViewingTest, NoDataWithinTenSecondsIsSaid) {
  (void)request(1, 1);
  (void)request(2, 1, t0 + 4s);
  EXPECT_EQ(viewing_.next_deadline(), t0 + 10s);
  EXPECT_THAT(words(viewing_.on_deadline(t0 + 10s)), ElementsAre("1: 503"));
  EXPECT_THAT(words(viewing_.on_deadline(t0 + 14s)), ElementsAre("2: 503", "unwant 1"));
  EXPECT_EQ(viewing_.next_deadline(), kNever);
}

TEST_F(ViewingTest, ARefusalAnswersWithItsText) {
  (void)request(1, 1);
  (void)request(2, 2);
  EXPECT_THAT(words(viewing_.on_refusal({tunnel::RefusalCode::kNotGranted, "Ask the owner.", kOne})),
              ElementsAre("1: 403", "unwant 1"));
  const auto actions =
      viewing_.on_refusal({tunnel::RefusalCode::kUnknownChannel, "", {std::nullopt, kTwo.group, 0}});
  EXPECT_THAT(words(actions), ElementsAre("2: 404", "unwant 2"));
}

TEST_F(ViewingTest, ARefusalOfAnotherSourceIsNotMeant) {
  (void)request(1, 1);
  EXPECT_THAT(words(viewing_.on_refusal(
                  {tunnel::RefusalCode::kNotGranted, "x", {IpAddress::parse("2001:db8::9"), kOne.group, 0}})),
              ElementsAre());
}

TEST_F(ViewingTest, RevokingCutsRunningPlayers) {
  (void)request(1, 1);
  (void)viewing_.on_signal(ChannelId{1}, true);
  EXPECT_THAT(words(viewing_.on_reachability({true, false, 403, "The owner has revoked this device."})),
              ElementsAre("unwant 1"));
  EXPECT_THAT(request(2, 1), ElementsAre("2: 403"));
}

TEST_F(ViewingTest, PlayersWaitForALostBox) {
  (void)request(1, 1);
  (void)viewing_.on_signal(ChannelId{1}, true);
  EXPECT_THAT(words(viewing_.on_reachability({false, true, 503, "looking for the box"})), ElementsAre());
  EXPECT_THAT(words(viewing_.on_signal(ChannelId{1}, false)), ElementsAre());
  EXPECT_THAT(request(2, 1), ElementsAre()) << "waits as well";
  EXPECT_THAT(words(viewing_.on_signal(ChannelId{1}, true)), ElementsAre("play 2"));
}

TEST_F(ViewingTest, AProvidersSilenceAnswersRequestsAndKeepsPlayers) {
  (void)request(1, 1);
  (void)viewing_.on_signal(ChannelId{1}, true);
  (void)viewing_.on_signal(ChannelId{1}, false);
  (void)request(2, 1);
  EXPECT_THAT(words(viewing_.on_refusal({tunnel::RefusalCode::kNoSignal, "", kOne})), ElementsAre("2: 503"));
  EXPECT_THAT(words(viewing_.on_signal(ChannelId{1}, true)), ElementsAre());
}

TEST_F(ViewingTest, UnknownChannelsAre404AndWithoutAnyListTheBoxIsMissed) {
  EXPECT_THAT(request(1, 77), ElementsAre("1: 404"));
  Viewing fresh;
  (void)fresh.on_reachability({false, true, 503, "looking for the box"});
  EXPECT_THAT(words(fresh.on_request(RequestId{1}, ChannelId{1}, t0)), ElementsAre("1: 503"));
}

TEST_F(ViewingTest, AChannelThatMovesEndsOneThatLeavesTheListDoesNot) {
  (void)request(1, 1);
  (void)viewing_.on_signal(ChannelId{1}, true);
  EXPECT_THAT(words(viewing_.on_channels({})), ElementsAre());
  EXPECT_THAT(words(viewing_.on_channels({{ChannelId{1}, "One", kTwo, false, {}}})), ElementsAre("unwant 1"));
}

}  // namespace
}  // namespace hearthcast::away
