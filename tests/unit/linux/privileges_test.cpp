#include "tunnelmgr/linux/privileges.hpp"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "tunnelmgr/linux/fd.hpp"
#include "tunnelmgr/linux/socket_option.hpp"

namespace hearthcast::linux {
namespace {

// Privileges are given up for good, so each test does it in a child of its own. The check's number is its
// exit code.
int in_child(int (*check)()) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(check());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool can_force_buffer() {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return set_option(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, 1 << 16);
}

class Privileges : public testing::Test {
 protected:
  void SetUp() override {
    if (!is_root()) {
      GTEST_SKIP() << "needs root to give up";
    }
  }
};

TEST_F(Privileges, DroppingToAUserIsForGood) {
  EXPECT_EQ(in_child([] {
              if (!drop_to_user("nobody")) {
                return 1;
              }
              return ::getuid() != 0 && ::getgid() != 0 && ::setuid(0) != 0 && !can_force_buffer() ? 0 : 2;
            }),
            0);
}

bool can_open_raw() { return static_cast<bool>(Fd(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 1))); }

TEST_F(Privileges, OneCapabilityCanStay) {
  EXPECT_EQ(in_child([] {
              if (!keep_only_capabilities({CAP_NET_ADMIN})) {
                return 1;
              }
              return ::getuid() != 0 && ::setuid(0) != 0 && can_force_buffer() && !can_open_raw() ? 0 : 2;
            }),
            0);
}

TEST_F(Privileges, TheUserWhoKeepsACapabilityIsChosen) {
  EXPECT_EQ(in_child([] {
              const passwd* const wanted = ::getpwnam("daemon");
              if (wanted == nullptr || !keep_only_capabilities({CAP_NET_ADMIN}, "daemon")) {
                return 1;
              }
              return ::getuid() == wanted->pw_uid && ::getgid() == wanted->pw_gid && can_force_buffer() ? 0
                                                                                                        : 2;
            }),
            0);
  EXPECT_EQ(in_child([] {
              const auto kept = keep_only_capabilities({CAP_NET_ADMIN}, "no-such-user-here");
              return !kept && kept.error().text.find("run_as") != std::string::npos && is_root() ? 0 : 1;
            }),
            0);
}

// As a service that was started with just these: they can stay without root, and be given up one by one.
TEST_F(Privileges, SeveralCapabilitiesCanStayAndGoWithoutRoot) {
  EXPECT_EQ(in_child([] {
              if (!keep_only_capabilities({CAP_NET_ADMIN, CAP_NET_RAW}) || is_root()) {
                return 1;
              }
              const uid_t user = ::getuid();
              if (!can_force_buffer() || !can_open_raw()) {
                return 2;
              }
              if (!keep_only_capabilities({CAP_NET_RAW}) || ::getuid() != user) {
                return 3;
              }
              if (can_force_buffer() || !can_open_raw()) {
                return 4;
              }
              return keep_only_capabilities({CAP_NET_ADMIN}) ? 5 : 0;  // it was given up for good
            }),
            0);
}

TEST_F(Privileges, PreparedFolderBelongsToTheUserWithAllThatIsInIt) {
  std::string name = (std::filesystem::temp_directory_path() / "folder-XXXXXX").string();
  const std::filesystem::path base = ::mkdtemp(name.data());
  const auto folder = base / "a" / "state";
  ASSERT_TRUE(prepare_folder(folder, ""));
  std::ofstream(folder / "left by root") << "x";
  std::filesystem::create_directory(folder / "below");
  std::ofstream(folder / "below" / "left by root") << "x";
  std::filesystem::create_directory_symlink("/etc", folder / "etc");
  std::filesystem::create_symlink("/etc/passwd", folder / "link");
  ASSERT_TRUE(prepare_folder(folder, "nobody"));
  struct stat status {};
  ASSERT_EQ(::stat(folder.c_str(), &status), 0);
  EXPECT_NE(status.st_uid, 0U);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  for (const auto& given : {folder / "left by root", folder / "below", folder / "below" / "left by root"}) {
    ASSERT_EQ(::stat(given.c_str(), &status), 0);
    EXPECT_NE(status.st_uid, 0U) << given;
  }
  for (const char* kept : {"/etc", "/etc/passwd"}) {
    ASSERT_EQ(::stat(kept, &status), 0);
    EXPECT_EQ(status.st_uid, 0U) << kept;
  }
  std::ofstream(base / "file") << "x";
  EXPECT_FALSE(prepare_folder(base / "file", ""));
  EXPECT_FALSE(prepare_folder(base / "file" / "below", ""));
  std::filesystem::remove_all(base);
}

TEST_F(Privileges, WhatAUserMayHavePutIntoAFolderIsNotGivenAway) {
  std::string name = (std::filesystem::temp_directory_path() / "folder-XXXXXX").string();
  const std::filesystem::path base = ::mkdtemp(name.data());
  std::ofstream(base / "secret of root") << "x";
  ASSERT_TRUE(prepare_folder(base / "state", "nobody"));
  std::filesystem::create_hard_link(base / "secret of root", base / "state" / "link");
  EXPECT_TRUE(prepare_folder(base / "state", "nobody"));
  std::filesystem::create_directory(base / "of root");
  std::filesystem::create_directory_symlink(base / "of root", base / "state" / "sockets");
  const auto refused = prepare_folder(base / "state" / "sockets", "nobody");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text.find("is a link"), std::string::npos);
  struct stat status {};
  for (const auto& kept : {base / "secret of root", base / "of root"}) {
    ASSERT_EQ(::stat(kept.c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, 0U) << kept;
  }
  std::filesystem::remove_all(base);
}

TEST(PrivilegesOfAnyone, UnknownUserIsAClearFailure) {
  const auto dropped = drop_to_user("no-such-user-here");
  ASSERT_FALSE(dropped);
  EXPECT_NE(dropped.error().text.find("run_as"), std::string::npos);
}

}  // namespace
}  // namespace hearthcast::linux
