// A device that watches nothing costs next to nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "appliance/sessions/device_tunnel.hpp"
#include "tests/unit/sessions/tunnel_in_test.hpp"

namespace hearthcast::sessions {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(TunnelTest, ADeviceThatWatchesNothingIsNotAskedAgain) {
  open();
  hello();
  pass(1min);
  const int before = device.queries;
  pass(1h);
  EXPECT_EQ(device.queries, before);
}

// All four copies of its report were lost.
TEST_F(TunnelTest, AWishThatNobodyHeardIsAskedForWhenTheDevicePings) {
  approve({news});
  open();
  hello();
  pass(1min);
  (void)device.join({kNews.source, kNews.group}, now);
  now += 1s;
  (void)device.on_deadline(now);
  EXPECT_THAT(box->watching(), IsEmpty());
  to_box(device.say(tunnel::Ping{1}, now));
  EXPECT_THAT(box->watching(), ElementsAre(kNews));
}

}  // namespace
}  // namespace hearthcast::sessions
