#include "tunnelmgr/linux/folder_lock.hpp"

#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hearthcast::linux {
namespace {

struct FolderLockTest : testing::Test {
  FolderLockTest() {
    std::string name = testing::TempDir() + "hearthcast-lock-XXXXXX";
    folder = ::mkdtemp(name.data());
  }
  ~FolderLockTest() override { std::filesystem::remove_all(folder); }
  std::filesystem::path folder;
};

TEST_F(FolderLockTest, IsOfOneAtATimeAndLeavesNothingBehind) {
  {
    const auto first = FolderLock::take(folder);
    ASSERT_TRUE(first);
    const auto second = FolderLock::take(folder);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().text, testing::HasSubstr("another instance is running"));
    EXPECT_THAT(second.error().text, testing::HasSubstr(folder.string()));
  }
  EXPECT_TRUE(FolderLock::take(folder));
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST_F(FolderLockTest, EndsWithItsProgramHoweverThatEnds) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto lock = FolderLock::take(folder);
    ::_exit(lock ? 0 : 1);  // without any destructor
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(FolderLock::take(folder));
}

TEST_F(FolderLockTest, WhatIsNoFolderIsNamed) {
  const auto lock = FolderLock::take(folder / "absent");
  ASSERT_FALSE(lock);
  EXPECT_THAT(lock.error().text, testing::HasSubstr("absent"));
}

}  // namespace
}  // namespace hearthcast::linux
