#include "tunnelmgr/base/busy_pause.hpp"

#include <gtest/gtest.h>

namespace hearthcast {
namespace {

using namespace std::chrono_literals;

const Time t0 = Time{} + 1h;

// A data thread that is woken for what comes, evenly spaced, and pauses as it is told.
class Thread {
 public:
  // Turns in which something came.
  int run(Duration time, Duration between) {
    const Time end = now_ + time;
    int turns = 0;
    while (now_ < end) {
      now_ = std::max(now_ + pause_.pause(), next_);
      for (; next_ <= now_; next_ += between) {
        ++total_;
      }
      pause_.on_turn(total_, now_);
      ++turns;
    }
    return turns;
  }
  void burst(std::uint64_t datagrams) {
    total_ += datagrams;
    pause_.on_turn(total_, now_);
  }
  [[nodiscard]] Duration pause() const { return pause_.pause(); }

 private:
  BusyPause pause_{500us};
  Time now_ = t0;
  Time next_ = t0;
  std::uint64_t total_ = 0;
};

TEST(BusyPause, AFewChannelsAreHandedOnAtOnce) {
  Thread thread;
  EXPECT_GE(thread.run(1s, 200us), 5000);
  EXPECT_EQ(thread.pause(), 0s);
}

TEST(BusyPause, WhereManyComeTheyGather) {
  Thread thread;
  thread.run(20ms, 100us);
  const int turns = thread.run(1s, 100us);
  EXPECT_LE(turns, 2100) << "half a millisecond each";
  EXPECT_GE(turns, 1900);
}

TEST(BusyPause, NoLongerThanABatchTakes) {
  Thread thread;
  thread.run(20ms, 5us);  // 200,000 a second
  EXPECT_GE(thread.pause(), 140us);
  EXPECT_LE(thread.pause(), 180us);
}

TEST(BusyPause, AfterThemNoneWaits) {
  Thread thread;
  thread.run(100ms, 16us);
  EXPECT_GT(thread.pause(), 0s);
  thread.run(11ms, 1ms);
  EXPECT_EQ(thread.pause(), 0s);
}

TEST(BusyPause, APictureAtOnceIsNotLoad) {
  Thread thread;
  thread.run(100ms, 1300us);
  thread.burst(60);  // 80 kB
  thread.run(10ms, 1300us);
  EXPECT_EQ(thread.pause(), 0s);
}

}  // namespace
}  // namespace hearthcast
