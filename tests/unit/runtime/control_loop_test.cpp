#include "tunnelmgr/runtime/control_loop.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "tests/unit/memory_log.hpp"
#include "tunnelmgr/linux/event_fd.hpp"
#include "tunnelmgr/linux/service_manager.hpp"
#include "tunnelmgr/runtime/machine_timer.hpp"
#include "tunnelmgr/runtime/readable_watch.hpp"
#include "tunnelmgr/runtime/worker.hpp"

namespace hearthcast::runtime {
namespace {

using namespace std::chrono_literals;

TEST(ControlLoop, StopsInReverseOrderWithTheGivenCode) {
  MemoryLog log;
  ControlLoop loop(log);
  std::vector<int> order;
  loop.on_stop([&] { order.push_back(1); });
  loop.on_stop([&] { order.push_back(2); });
  loop.stop("the disk is gone", kFailed);
  loop.stop("again", kFine);
  EXPECT_EQ(loop.run(), kFailed);
  EXPECT_THAT(order, testing::ElementsAre(2, 1));
  EXPECT_THAT(log.lines, testing::ElementsAre("stopping reason=the disk is gone"));
}

TEST(ControlLoop, OtherSignalsRunTheirActionEachTimeAndDoNotEndTheProgram) {
  MemoryLog log;
  ControlLoop loop(log);
  std::vector<int> seen;
  loop.on_signal(SIGUSR1, [&] {
    seen.push_back(SIGUSR1);
    if (seen.size() == 3) {
      loop.stop("seen enough");
    } else {
      std::raise(seen.size() == 1 ? SIGHUP : SIGUSR1);
    }
  });
  loop.on_signal(SIGHUP, [&] {
    seen.push_back(SIGHUP);
    std::raise(SIGUSR1);
  });
  boost::asio::post(loop.io(), [] { std::raise(SIGUSR1); });
  EXPECT_EQ(loop.run(), kFine);
  EXPECT_THAT(seen, testing::ElementsAre(SIGUSR1, SIGHUP, SIGUSR1));
}

TEST(ControlLoop, EndsOrderlyOnASignalAndFinishesItsWork) {
  MemoryLog log;
  ControlLoop loop(log);
  bool finished = false;
  loop.on_stop([&] { boost::asio::post(loop.io(), [&] { finished = true; }); });
  boost::asio::post(loop.io(), [] { std::raise(SIGTERM); });
  EXPECT_EQ(loop.run(), kFine);
  EXPECT_TRUE(finished);
  EXPECT_THAT(log.lines, testing::Contains("stopping reason=SIGTERM"));
}

TEST(ControlLoop, MayBeStoppedFromAnotherThread) {
  MemoryLog log;
  ControlLoop loop(log);
  std::thread other([&] { loop.stop("enough"); });
  EXPECT_EQ(loop.run(), kFine);
  other.join();
}

TEST(ControlLoop, ExceptionIsLoggedAndFails) {
  MemoryLog log;
  ControlLoop loop(log);
  boost::asio::post(loop.io(), [] { throw std::runtime_error("a bug"); });
  EXPECT_EQ(loop.run(), kFailed);
  EXPECT_THAT(log.lines, testing::Contains("internal_error error=a bug"));
}

TEST(Worker, RunsJobsInOrderAndCompletionsOnTheLoop) {
  boost::asio::io_context io;
  Worker worker(io);
  const auto loop_thread = std::this_thread::get_id();
  std::vector<int> done;
  for (int i = 0; i < 20; ++i) {
    worker.submit([i, loop_thread] { return std::pair(i, std::this_thread::get_id() != loop_thread); },
                  [&, loop_thread](std::pair<int, bool> result) {
                    EXPECT_TRUE(result.second);
                    EXPECT_EQ(std::this_thread::get_id(), loop_thread);
                    done.push_back(result.first);
                  });
  }
  io.run();  // ends only when all jobs have come back
  std::vector<int> expected(20);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(done, expected);
}

TEST(Worker, FinishesItsJobsBeforeItGoes) {
  boost::asio::io_context io;
  std::atomic<int> run = 0;
  {
    Worker worker(io);
    for (int i = 0; i < 5; ++i) {
      worker.run([&] { ++run; });
    }
  }
  EXPECT_EQ(run, 5);
}

TEST(Worker, TheWatchdogSeesAJobThatHangs) {
  boost::asio::io_context io;
  std::promise<void> begun;
  std::promise<void> release;
  Worker worker(io);
  EXPECT_TRUE(worker.alive(Clock::now() + 1h)) << "nothing to do";
  worker.run([&] {
    begun.set_value();
    release.get_future().wait();
  });
  worker.run([] {});
  begun.get_future().wait();
  EXPECT_TRUE(worker.alive(Clock::now()));
  EXPECT_FALSE(worker.alive(Clock::now() + Worker::kPatience)) << "as if it had taken that long";
  release.set_value();
  io.run();
  // The thread may be on its way from the last job.
  for (const Time end = Clock::now() + 10s; !worker.alive(Clock::now() + 1h) && Clock::now() < end;) {
    std::this_thread::yield();
  }
  EXPECT_TRUE(worker.alive(Clock::now() + 1h)) << "nothing to do again";
}

TEST(MachineTimer, FiresOnceAtTheDeadlineAndNotBefore) {
  boost::asio::io_context io;
  int fired = 0;
  const Time deadline = Clock::now() + 5ms;
  MachineTimer timer(io, [&](Time now) {
    EXPECT_GE(now, deadline);
    ++fired;
  });
  timer.arm(deadline + 1h);
  timer.arm(deadline);
  timer.arm(deadline);
  io.run();
  EXPECT_EQ(fired, 1);
}

TEST(MachineTimer, MayBeArmedAgainDisarmedAndDestroyedInItsAction) {
  boost::asio::io_context io;
  int fired = 0;
  std::unique_ptr<MachineTimer> timer;
  timer = std::make_unique<MachineTimer>(io, [&](Time now) {
    if (++fired < 3) {
      timer->arm(now + 1ms);
    } else {
      timer.reset();
    }
  });
  timer->arm(Clock::now());
  io.run();
  EXPECT_EQ(fired, 3);
  MachineTimer disarmed(io, [&](Time) { ++fired; });
  disarmed.arm(Clock::now() + 1ms);
  disarmed.arm(kNever);
  {
    MachineTimer gone(io, [&](Time) { ++fired; });
    gone.arm(Clock::now());
  }
  io.restart();
  io.run();
  EXPECT_EQ(fired, 3);
}

TEST(ReadableWatch, CallsAsLongAsSomethingIsLeftAndLeavesTheDescriptorOpen) {
  boost::asio::io_context io;
  linux::EventFd event;
  int calls = 0;
  std::unique_ptr<ReadableWatch> watch;
  watch = std::make_unique<ReadableWatch>(io, event.fd(), [&] {
    if (++calls == 2) {
      event.drain();
      watch.reset();
    }
  });
  event.signal();
  io.run();
  EXPECT_EQ(calls, 2);
  EXPECT_NE(::fcntl(event.fd(), F_GETFD), -1);
}

TEST(ServiceManager, IsToldThroughItsSocket) {
  std::string folder = (std::filesystem::temp_directory_path() / "notify-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = folder + "/socket";
  name.copy(address.sun_path, sizeof address.sun_path - 1);
  const linux::Fd manager(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(manager.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  EXPECT_EQ(linux::watchdog_interval(), 30s);
  MemoryLog log;
  ControlLoop loop(log);
  loop.stop("test");
  EXPECT_EQ(loop.run(), kFine);
  ::setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(linux::watchdog_interval(), std::nullopt);
  for (const char* variable : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
    ::unsetenv(variable);
  }
  EXPECT_FALSE(linux::notify_service_manager("READY=1"));
  EXPECT_EQ(linux::watchdog_interval(), std::nullopt);
  std::string heard;
  std::array<char, 100> room{};
  for (ssize_t got = 0; (got = ::recv(manager.get(), room.data(), room.size(), MSG_DONTWAIT)) > 0;) {
    heard += std::string(room.data(), static_cast<std::size_t>(got)) + " ";
  }
  EXPECT_EQ(heard, "READY=1 WATCHDOG=1 STOPPING=1 ");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace hearthcast::runtime
