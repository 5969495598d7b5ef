// A program that is started as root: it starts the real helper, drops, and still gets what it needs.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "tunnelmgr/linux/fd.hpp"
#include "tunnelmgr/linux/link_socket.hpp"
#include "tunnelmgr/linux/multicast_routing.hpp"
#include "tunnelmgr/linux/netd_protocol.hpp"
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

// What the multicast plane of a box gets that was started as root and dropped.
TEST(StartHelper, OpensMulticastSocketsForAProgramThatHasDropped) {
  if (!linux::is_root()) {
    GTEST_SKIP() << "needs root to drop";
  }
  EXPECT_EQ(in_child([] {
              if (::unshare(CLONE_NEWNET) != 0 || std::system("ip link set lo up") != 0) {
                return 1;
              }
              NoLog log;
              auto client = runtime::start_helper_and_drop("nobody", log, HEARTHCAST_NETD_FOLDER);
              if (!client || !client->has_helper() || linux::is_root()) {
                return 2;
              }
              const unsigned lo = 1;
              for (const Family family : {Family::kIp4, Family::kIp6}) {
                auto routing = linux::MulticastRouting::open(family, linux::kFirstMulticastTable, *client);
                if (!routing || !routing->add_interface(lo) || !routing->counters(lo)) {
                  return 3;
                }
                const char* const list = family == Family::kIp4
                                             ? "ip mrule | grep -q 'iif lo lookup 4755'"
                                             : "ip -6 mrule | grep -q 'iif lo lookup 4755'";
                if (std::system(list) != 0) {
                  return 4;
                }
                const IpAddress group = *IpAddress::parse(family == Family::kIp4 ? "239.1.1.1" : "ff3e::1");
                if (!routing->set_route({{group, std::nullopt}, lo, {}}) ||
                    !routing->counters(linux::RouteKey{group, std::nullopt})) {
                  return 5;
                }
              }
              if (std::system("ip mrule | grep -q 4755") == 0) {
                return 6;  // closing removes rules through the helper, too
              }
              auto link = linux::LinkSocket::open(lo, *client);
              if (!link) {
                return 7;
              }
              // The filter is locked: whoever has the socket hears no more than it lets through.
              sock_filter all{BPF_RET | BPF_K, 0, 0, 0xFFFF};
              const sock_fprog program{1, &all};
              if (::setsockopt(link->fd(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0 ||
                  ::setsockopt(link->fd(), SOL_SOCKET, SO_DETACH_FILTER, &program, sizeof program) == 0) {
                return 8;
              }
              if (!client->write_setting(linux::MachineSetting::kIgmpMaxMemberships, 123) ||
                  *client->read_setting(linux::MachineSetting::kIgmpMaxMemberships) != 123 ||
                  !client->write_setting(linux::MachineSetting::kReversePathFilter, 2, lo) ||
                  *client->read_setting(linux::MachineSetting::kReversePathFilter, lo) != 2) {
                return 9;
              }
              // Without the helper this user may do none of it.
              linux::NetdClient alone;
              return alone.open_link_socket(lo) || alone.open_multicast_routing(Family::kIp4, 4756) ||
                             alone.add_multicast_rule(Family::kIp4, 4755, lo) ||
                             alone.write_setting(linux::MachineSetting::kIgmpMaxMemberships, 20)
                         ? 10
                         : 0;
            }),
            0);
}

// hearthcast-away --tun: the interface is made by the helper, used without privilege, and vanishes with the
// program, however that ends.
TEST(StartHelper, MakesATunInterfaceThatVanishesWithAProgramThatWasKilled) {
  if (!linux::is_root()) {
    GTEST_SKIP() << "needs root to drop";
  }
  EXPECT_EQ(
      in_child([] {
        if (::unshare(CLONE_NEWNET) != 0) {
          return 1;
        }
        std::array<int, 2> ready{};
        if (::pipe(ready.data()) != 0) {
          return 2;
        }
        const pid_t program = ::fork();
        if (program == 0) {
          NoLog log;
          auto client = runtime::start_helper_and_drop("nobody", log, HEARTHCAST_NETD_FOLDER, {}, "--tun");
          auto tun = client ? client->open_tun(1280) : Failure{"no client"};
          const bool good = tun && !client->open_link_socket(1) && !linux::is_root() &&
                            client->add_tun_address(tun->fd.get(), *IpAddress::parse("10.203.0.5"), 32) &&
                            client->add_tun_route(tun->fd.get(), *Prefix::parse("232.0.0.0/8")) &&
                            client->write_setting(linux::MachineSetting::kReversePathFilter, 0, tun->index) &&
                            !linux::NetdClient().add_tun_route(tun->fd.get(), *Prefix::parse("239.0.0.0/8"));
          if (::write(ready[1], good ? "y" : "n", 1) != 1) {
            ::_exit(1);
          }
          ::pause();
          ::_exit(0);
        }
        char good = 'n';
        if (::read(ready[0], &good, 1) != 1 || good != 'y') {
          return 3;
        }
        if (std::system("ip -4 address show dev hearthcast0 | grep -q 10.203.0.5") != 0 ||
            std::system("ip route show 232.0.0.0/8 | grep -q hearthcast0") != 0) {
          return 4;
        }
        ::kill(program, SIGKILL);
        ::waitpid(program, nullptr, 0);
        for (int turn = 0; turn < 500; ++turn) {
          if (std::system("ip link show dev hearthcast0 >/dev/null 2>&1") != 0) {
            return std::system("test -z \"$(ip route show)\"") == 0 ? 0 : 5;
          }
          ::usleep(20'000);
        }
        return 6;
      }),
      0);
}

TEST(StartHelper, LetsNoProgramRouteMoreThanGroupsAndItsPeer) {
  if (!linux::is_root()) {
    GTEST_SKIP() << "needs root to drop";
  }
  EXPECT_EQ(
      in_child([] {
        NoLog log;
        if (::unshare(CLONE_NEWNET) != 0) {
          return 1;
        }
        auto client = runtime::start_helper_and_drop("nobody", log, HEARTHCAST_NETD_FOLDER);
        auto tun = client ? client->open_tun(1280) : Failure{"no client"};
        if (!tun) {
          return 2;
        }
        for (const char* route : {"0.0.0.0/0", "10.0.0.0/8", "224.0.0.0/4", "224.0.0.0/24", "224.0.0.251",
                                  "ff00::/8", "ff02::/16", "ff02::fb", "192.0.2.1", "2001:db8::1", "::/0"}) {
          if (client->add_tun_route(tun->fd.get(), *Prefix::parse(route))) {
            return 3;
          }
        }
        for (const char* address : {"192.0.2.1", "2001:db8::1", "127.0.0.2", "::1", "232.1.1.1"}) {
          if (client->add_tun_address(tun->fd.get(), *IpAddress::parse(address), 32)) {
            return 4;
          }
        }
        return 0;
      }),
      0);
}

// Checklist row 44: the program is killed; its helper sees it go and removes the rules.
TEST(StartHelper, RemovesTheRulesOfAProgramThatWasKilled) {
  if (!linux::is_root()) {
    GTEST_SKIP() << "needs root to drop";
  }
  EXPECT_EQ(in_child([] {
              if (::unshare(CLONE_NEWNET) != 0) {
                return 1;
              }
              const pid_t program = ::fork();
              if (program == 0) {
                NoLog log;
                auto client = runtime::start_helper_and_drop("nobody", log, HEARTHCAST_NETD_FOLDER);
                auto routing =
                    linux::MulticastRouting::open(Family::kIp4, linux::kFirstMulticastTable, *client);
                if (routing && routing->add_interface(1)) {
                  ::kill(::getpid(), SIGSTOP);
                }
                ::_exit(1);
              }
              int status = 0;
              if (::waitpid(program, &status, WUNTRACED) != program || !WIFSTOPPED(status) ||
                  std::system("ip mrule | grep -q 'iif lo lookup 4755'") != 0) {
                return 2;
              }
              ::kill(program, SIGKILL);
              ::waitpid(program, &status, 0);
              for (int i = 0; i < 1000; ++i) {
                if (std::system("ip mrule | grep -q 4755") != 0) {
                  return 0;
                }
                ::usleep(10'000);
              }
              return 3;
            }),
            0);
}

// As the service manager does it: a socket file whose connections the helper gets as descriptor 3.
TEST(StartHelper, AnOrdinaryUserReachesTheHelperOfTheServiceManager) {
  if (!linux::is_root()) {
    GTEST_SKIP() << "needs root to play the service manager";
  }
  std::string folder = (std::filesystem::temp_directory_path() / "netd-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  ASSERT_EQ(::chmod(folder.c_str(), 0755), 0);
  const std::string path = folder + "/netd.sock";
  EXPECT_EQ(in_child([&] {
              const linux::Fd listening(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
              sockaddr_un address{};
              address.sun_family = AF_UNIX;
              path.copy(address.sun_path, sizeof address.sun_path - 1);
              if (::bind(listening.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
                  ::listen(listening.get(), 1) != 0 || ::chmod(path.c_str(), 0666) != 0) {
                return 1;
              }
              const pid_t manager = ::fork();
              if (manager == 0) {
                const int accepted = ::accept(listening.get(), nullptr, nullptr);
                ::dup2(accepted, linux::kNetdDescriptor);
                ::setenv("LISTEN_FDS", "1", 1);
                ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
                ::execl(HEARTHCAST_NETD_FOLDER "/hearthcast-netd", "hearthcast-netd", nullptr);
                ::_exit(127);
              }
              NoLog log;
              if (!linux::drop_to_user("nobody")) {
                return 2;
              }
              auto client = runtime::start_helper_and_drop("", log, {}, path);
              if (!client || !client->has_helper() || !client->open_link_socket(1)) {
                return 3;
              }
              *client = linux::NetdClient();
              int status = 0;
              ::waitpid(manager, &status, 0);
              const auto none = runtime::start_helper_and_drop("", log, {}, path + "x");
              return WIFEXITED(status) && WEXITSTATUS(status) == 0 && none && !none->has_helper() ? 0 : 4;
            }),
            0);
  std::filesystem::remove_all(folder);
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
