// A helper of the service manager that has gone is replaced by another, which learns what the first one kept.
#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>

#include "tests/unit/memory_log.hpp"
#include "tests/unit/netd/service_manager.hpp"
#include "tunnelmgr/linux/netd_client.hpp"
#include "tunnelmgr/runtime/helper_watch.hpp"

namespace hearthcast::netd {
namespace {

using linux::MachineSetting;
using linux::NetdClient;
using linux::NetdOperation;
using linux::NetdRequest;
using testing::ElementsAre;
using testing::HasSubstr;

const NetdRequest kRead{.operation = NetdOperation::kReadSetting, .setting = MachineSetting::kIgmpMaxSources};

NetdRequest add(Family family, unsigned interface_index) {
  return {.operation = NetdOperation::kAddMulticastRule,
          .family = family,
          .interface_index = interface_index,
          .argument = 4755};
}

class Reconnect : public testing::Test {
 protected:
  // Waits for what another thread does.
  template <class Condition>
  static bool comes_true(Condition condition) {
    for (int i = 0; i < 6000 && !condition(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return condition();
  }
  NetdClient connected() { return NetdClient(linux::connect_message_socket(manager.path()), manager.path()); }
  std::size_t helpers() { return manager.asked().size(); }

  ServiceManager manager;
};

TEST_F(Reconnect, TheNextCallFindsAnotherHelper) {
  manager.start();
  NetdClient client = connected();
  ASSERT_TRUE(client.add_multicast_rule(Family::kIp4, 4755, 3));
  ASSERT_TRUE(client.add_multicast_rule(Family::kIp6, 4755, 3));
  ASSERT_TRUE(client.add_multicast_rule(Family::kIp6, 4755, 4));
  client.remove_multicast_rule(Family::kIp6, 4755, 3);
  manager.kill_helper();
  EXPECT_EQ(client.read_setting(MachineSetting::kIgmpMaxSources).value(), 20U);
  ASSERT_EQ(helpers(), 2U);
  EXPECT_THAT(manager.asked().back(), ElementsAre(add(Family::kIp4, 3), add(Family::kIp6, 4), kRead));
}

TEST_F(Reconnect, LookingAfterItHandsOverTheRules) {
  manager.start();
  NetdClient client = connected();
  ASSERT_TRUE(client.add_multicast_rule(Family::kIp6, 4756, 3));
  EXPECT_TRUE(client.look_after());
  EXPECT_TRUE(client.look_after());
  EXPECT_EQ(helpers(), 1U) << "a helper that is there is left alone";
  manager.kill_helper();
  EXPECT_TRUE(comes_true([&] { return client.look_after() && helpers() == 2; }));
  EXPECT_EQ(manager.asked().back().size(), 1U);
}

TEST_F(Reconnect, AHelperThatComesLaterIsFound) {
  NetdClient client = connected();
  EXPECT_FALSE(client.has_helper());
  EXPECT_TRUE(client.can_reconnect());
  EXPECT_FALSE(client.look_after());
  manager.start();
  EXPECT_TRUE(client.look_after());
  EXPECT_TRUE(client.has_helper());
  manager.stop();
  EXPECT_FALSE(client.look_after());
  EXPECT_FALSE(client.has_helper());
}

TEST_F(Reconnect, AHelperOfOnesOwnIsNotReplaced) {
  auto [own, theirs] = linux::make_message_pair();
  NetdClient client(std::move(own));
  EXPECT_FALSE(client.can_reconnect());
  EXPECT_TRUE(client.look_after());
  theirs.close();
  EXPECT_FALSE(client.look_after());
  EXPECT_FALSE(client.has_helper());
}

TEST_F(Reconnect, TheWatchTellsWhenItGoesAndComes) {
  manager.start();
  NetdClient client = connected();
  ASSERT_TRUE(client.add_multicast_rule(Family::kIp4, 4755, 3));
  boost::asio::io_context loop;
  MemoryLog log;
  const runtime::HelperWatch watch(loop, client, log, std::chrono::milliseconds(1));
  const auto lines = [&](std::size_t count) {
    for (int i = 0; i < 60'000 && log.lines.size() < count; ++i) {
      loop.run_one_for(std::chrono::milliseconds(10));
    }
    return log.lines;
  };
  manager.stop();
  EXPECT_THAT(lines(1), ElementsAre(HasSubstr("helper_gone")));
  manager.start();
  EXPECT_THAT(lines(2), ElementsAre(HasSubstr("helper_gone"), "helper_connected"));
  EXPECT_THAT(manager.asked().back(), ElementsAre(add(Family::kIp4, 3)));
}

TEST_F(Reconnect, TheWatchThatWasStoppedLetsTheLoopEnd) {
  NetdClient client = connected();
  boost::asio::io_context loop;
  MemoryLog log;
  runtime::HelperWatch watch(loop, client, log, std::chrono::milliseconds(1));
  EXPECT_GT(loop.run_one_for(std::chrono::seconds(20)), 0U) << "it looks";
  watch.stop();
  loop.run_for(std::chrono::seconds(20));
  EXPECT_TRUE(loop.stopped()) << "nothing is left to wait for";
}

}  // namespace
}  // namespace hearthcast::netd
