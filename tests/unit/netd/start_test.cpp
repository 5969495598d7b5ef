// A program that is started as root: it starts the real helper, drops, and still gets what it needs.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "tunnelmgr/linux/fd.hpp"
#include "tunnelmgr/linux/privileges.hpp"
#include "tunnelmgr/runtime/privileges.hpp"

namespace hearthcast::netd {
namespace {

class NoLog final : public Log {
 public:
  void write(Level level, std::string_view, std::initializer_list<Field>) override {
    warnings += level == Level::kWarning ? 1 : 0;
  }
  int warnings = 0;
};

// In a child, since privileges do not come back. Its exit code names the check that failed.
template <class Check>
int in_child(Check check) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(check());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

constexpr std::size_t kLarge = 48U << 20;  // above what any machine allows everyone

TEST(StartHelper, ServesAProgramThatHasDropped) {
  if (!linux::is_root()) {
    GTEST_SKIP() << "needs root to drop";
  }
  EXPECT_EQ(in_child([] {
              NoLog log;
              auto client = runtime::start_helper_and_drop("nobody", log, HEARTHCAST_NETD_FOLDER);
              if (!client || !client->has_helper() || log.warnings != 0) {
                return 1;
              }
              const linux::Fd socket(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
              if (linux::is_root() || linux::NetdClient().raise_receive_buffer(socket.get(), kLarge)) {
                return 2;
              }
              return client->raise_receive_buffer(socket.get(), kLarge) ? 0 : 3;
            }),
            0);
}

TEST(StartHelper, MissingHelperIsAWarning) {
  if (!linux::is_root() || std::filesystem::exists("/usr/libexec/hearthcast/hearthcast-netd")) {
    GTEST_SKIP() << "needs root to drop, and a machine without the product installed";
  }
  EXPECT_EQ(in_child([] {
              NoLog log;
              const auto client = runtime::start_helper_and_drop("nobody", log, "/nonexistent");
              return client && !client->has_helper() && log.warnings == 1 && !linux::is_root() ? 0 : 1;
            }),
            0);
}

TEST(StartHelper, WithoutRunAsNothingChanges) {
  NoLog log;
  const uid_t before = ::getuid();
  const auto client = runtime::start_helper_and_drop("", log);
  ASSERT_TRUE(client);
  EXPECT_FALSE(client->has_helper());
  EXPECT_EQ(::getuid(), before);
}

}  // namespace
}  // namespace hearthcast::netd
