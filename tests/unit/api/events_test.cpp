#include "appliance/api/events.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/api/browser.hpp"

namespace hearthcast::api {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

TEST(EventBoard, AReaderGetsEachTypeOnceThenChangesOnly) {
  EventBoard board;
  board.update({{"status", "{\"up\":1}", "same"}, {"viewers", "{}", "{}"}});
  EventBoard::Seen seen;
  EXPECT_EQ(board.news(seen), "event: status\ndata: {\"up\":1}\n\nevent: viewers\ndata: {}\n\n");
  EXPECT_EQ(board.news(seen), "");
  board.update({{"status", "{\"up\":2}", "same"}, {"viewers", "{\"v\":1}", "{\"v\":1}"}});
  EXPECT_EQ(board.news(seen), "event: viewers\ndata: {\"v\":1}\n\n");
  EventBoard::Seen late;
  EXPECT_THAT(board.news(late), HasSubstr("{\"up\":2}"));
}

class EventsTest : public testing::Test, protected testing_browser::Browser {
 protected:
  std::string news() {
    board.update(render_events(services, live, now));
    return board.news(seen);
  }
  EventBoard board;
  EventBoard::Seen seen;
};

TEST_F(EventsTest, HoldsEveryType) {
  const std::string first = news();
  for (const char* type : {"status", "channels", "devices", "viewers", "pairing"}) {
    EXPECT_THAT(first, HasSubstr(std::string("event: ") + type + "\n"));
  }
}

TEST_F(EventsTest, PassingTimeAloneIsNoNews) {
  const auto device = secure::make_identity();
  const auto id = pair(device);
  live.devices[id] = {false, std::nullopt, std::nullopt, now};
  ASSERT_TRUE(household->open_pairing(now));
  (void)news();
  now += 30s;
  EXPECT_EQ(news(), "");
  live.devices[id].connected = true;
  EXPECT_THAT(news(), HasSubstr("event: devices"));
}

TEST_F(EventsTest, APairingTellsItsStateButNoSecret) {
  ASSERT_TRUE(household->open_pairing(now));
  const std::string open = news();
  EXPECT_THAT(open, HasSubstr("\"state\":\"open\""));
  EXPECT_THAT(open, Not(HasSubstr("hearthcast://")));
  EXPECT_THAT(open, Not(HasSubstr(household->desk().invitation()->code)));
  const auto device = secure::make_identity();
  ASSERT_TRUE(household->pair(signalling::encode(request(device)), now));
  const std::string used = news();
  EXPECT_THAT(used, HasSubstr("\"state\":\"used\""));
  EXPECT_THAT(used, HasSubstr("\"device_id\":1"));
  EXPECT_THAT(used, HasSubstr("event: devices"));
}

TEST_F(EventsTest, ChannelsTellOnlyWhatIsNotIdle) {
  const auto a = add_channel("A", "239.1.1.1");
  (void)add_channel("B", "239.1.1.2");
  live.channels[a].state = ChannelLive::State::kJoining;
  const std::string first = news();
  EXPECT_THAT(first, HasSubstr("\"state\":\"joining\""));
  EXPECT_THAT(first, Not(HasSubstr("\"name\":\"B\"")));
}

TEST_F(EventsTest, TheStreamIsForTheOwner) {
  EXPECT_EQ(get("/events").status, 401);
  set_up();
  EXPECT_EQ(get("/events").headers.get("content-type"), "text/event-stream");
}

}  // namespace
}  // namespace hearthcast::api
