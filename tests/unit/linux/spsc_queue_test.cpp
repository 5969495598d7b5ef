#include "tunnelmgr/linux/spsc_queue.hpp"

#include <gmock/gmock.h>
#include <poll.h>

#include <cstdint>
#include <memory>
#include <thread>

#include "tunnelmgr/linux/epoll.hpp"

namespace hearthcast::linux {
namespace {

bool readable(int fd) {
  pollfd ready{fd, POLLIN, 0};
  return ::poll(&ready, 1, 0) == 1;
}

TEST(SpscQueue, IsBoundedAndKeepsOrder) {
  SpscQueue<int> queue(2);
  EXPECT_TRUE(queue.push(1));
  EXPECT_TRUE(queue.push(2));
  EXPECT_FALSE(queue.push(3));
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_TRUE(queue.push(3));
  EXPECT_EQ(queue.pop(), 2);
  EXPECT_EQ(queue.pop(), 3);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(SpscQueue, TheWriterSeesHowManyWait) {
  SpscQueue<int> queue(3);
  EXPECT_EQ(queue.waiting(), 0U);
  for (int round = 0; round < 5; ++round) {  // around the ring
    EXPECT_TRUE(queue.push(1));
    EXPECT_TRUE(queue.push(2));
    EXPECT_EQ(queue.waiting(), 2U);
    EXPECT_TRUE(queue.push(3));
    EXPECT_FALSE(queue.push(4));
    EXPECT_EQ(queue.waiting(), 3U);
    EXPECT_EQ(queue.pop(), 1);
    EXPECT_EQ(queue.waiting(), 2U);
    EXPECT_EQ(queue.pop(), 2);
    EXPECT_EQ(queue.pop(), 3);
    EXPECT_EQ(queue.waiting(), 0U);
  }
}

TEST(SpscQueue, RefusedElementStaysWithTheWriter) {
  SpscQueue<std::unique_ptr<int>> queue(1);
  EXPECT_TRUE(queue.push(std::make_unique<int>(1)));
  auto second = std::make_unique<int>(2);
  EXPECT_FALSE(queue.push(std::move(second)));
  // That it was not moved is what is checked.
  EXPECT_THAT(second, testing::Pointee(2));  // NOLINT(bugprone-use-after-move)
}

TEST(SpscQueue, PoppedElementIsOwnedByTheReaderAlone) {
  SpscQueue<std::shared_ptr<int>> queue(4);
  auto shared = std::make_shared<int>(1);
  EXPECT_TRUE(queue.push(std::shared_ptr<int>(shared)));
  EXPECT_EQ(shared.use_count(), 2);
  queue.pop().reset();
  EXPECT_EQ(shared.use_count(), 1);
}

TEST(SpscQueue, WakesOnlyASleepingReader) {
  SpscQueue<int> queue(8);
  EXPECT_FALSE(readable(queue.fd()));
  EXPECT_TRUE(queue.push(1));
  EXPECT_TRUE(readable(queue.fd()));
  int sum = 0;
  queue.consume([&](int value) {
    sum += value;
    if (value == 1) {
      EXPECT_TRUE(queue.push(2));  // the reader is awake: no system call, and consume() finds it
      EXPECT_FALSE(readable(queue.fd()));
    }
  });
  EXPECT_EQ(sum, 3);
  EXPECT_FALSE(readable(queue.fd()));
  EXPECT_TRUE(queue.push(4));
  EXPECT_TRUE(readable(queue.fd()));
}

TEST(SpscQueue, BusyWriterDoesNotHoldTheReader) {
  SpscQueue<int> queue(4);
  EXPECT_TRUE(queue.push(1));
  int taken = 0;
  queue.consume([&](int) {
    ++taken;
    EXPECT_TRUE(queue.push(1));  // always one more
  });
  EXPECT_LE(taken, 5);
  EXPECT_TRUE(readable(queue.fd()));  // and the reader comes back
}

TEST(SpscQueue, TwoThreadsLoseNothingAndNeverSleepOnAFullQueue) {
  constexpr std::uint32_t kCount = 100'000;
  SpscQueue<std::uint32_t> queue(64);
  std::thread writer([&] {
    for (std::uint32_t i = 0; i < kCount;) {
      if (queue.push(std::uint32_t{i})) {
        ++i;
      } else {
        std::this_thread::yield();
      }
    }
  });
  Epoll epoll;
  ASSERT_TRUE(epoll.add(queue.fd(), 7));
  std::uint32_t expected = 0;
  bool in_order = true;
  while (expected < kCount) {
    const auto events = epoll.wait(Clock::now() + std::chrono::seconds(30));
    ASSERT_EQ(events.size(), 1U) << "a wake-up was lost after " << expected;
    ASSERT_EQ(events[0].token, 7U);
    queue.consume([&](std::uint32_t value) { in_order = in_order && value == expected++; });
  }
  writer.join();
  EXPECT_TRUE(in_order);
}

TEST(Epoll, WaitsForADeadlineAndForgetsRemovedDescriptors) {
  Epoll epoll;
  EventFd event;
  EXPECT_TRUE(epoll.wait(Clock::now()).empty());
  ASSERT_TRUE(epoll.add(event.fd(), 1));
  EXPECT_FALSE(epoll.add(event.fd(), 1));
  event.signal();
  const auto events = epoll.wait(kNever);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_TRUE(events[0].readable);
  EXPECT_FALSE(events[0].writable);
  EXPECT_TRUE(epoll.change(event.fd(), 2, false, true));
  EXPECT_TRUE(epoll.wait(kNever)[0].writable);
  epoll.remove(event.fd());
  EXPECT_TRUE(epoll.wait(Clock::now() + std::chrono::milliseconds(1)).empty());
}

}  // namespace
}  // namespace hearthcast::linux
