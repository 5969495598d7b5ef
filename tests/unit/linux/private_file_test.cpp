#include "tunnelmgr/linux/private_file.hpp"

#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "tunnelmgr/base/bytes.hpp"

namespace hearthcast::linux {
namespace {

struct PrivateFile : testing::Test {
  PrivateFile() {
    std::string name = testing::TempDir() + "hearthcast-file-XXXXXX";
    folder = ::mkdtemp(name.data());
    file = folder / "key";
  }
  ~PrivateFile() override { std::filesystem::remove_all(folder); }
  [[nodiscard]] std::string content() const {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::filesystem::path folder;
  std::filesystem::path file;
};

TEST_F(PrivateFile, IsTheOwnersAlone) {
  const mode_t mask = ::umask(0);
  ASSERT_TRUE(write_private_file(file, as_bytes("secret"), IfThere::kFail));
  ::umask(mask);
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(content(), "secret");
}

TEST_F(PrivateFile, OneThatIsThereIsReplacedOnlyWhereThatIsAskedFor) {
  ASSERT_TRUE(write_private_file(file, as_bytes("a longer one"), IfThere::kFail));
  const auto again = write_private_file(file, as_bytes("short"), IfThere::kFail);
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().text, testing::HasSubstr(file.string()));
  EXPECT_EQ(content(), "a longer one");
  ASSERT_TRUE(write_private_file(file, as_bytes("short"), IfThere::kReplace));
  EXPECT_EQ(content(), "short");
}

TEST_F(PrivateFile, OneThatReplacesAnotherIsTheOwnersAloneToo) {
  std::ofstream(file) << "for all";
  ASSERT_EQ(::chmod(file.c_str(), 0644), 0);
  ASSERT_TRUE(write_private_file(file, as_bytes("secret"), IfThere::kReplace));
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(content(), "secret");
}

TEST_F(PrivateFile, ReplacesOrdinaryFilesOnly) {
  EXPECT_FALSE(write_private_file(folder, as_bytes("secret"), IfThere::kReplace));
  ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  EXPECT_FALSE(write_private_file(file, as_bytes("secret"), IfThere::kReplace));
  EXPECT_TRUE(std::filesystem::is_fifo(file));
}

TEST_F(PrivateFile, DoesNotFollowALink) {
  std::ofstream(folder / "other") << "other";
  std::filesystem::create_symlink(folder / "other", file);
  EXPECT_FALSE(write_private_file(file, as_bytes("secret"), IfThere::kReplace));
  std::ifstream in(folder / "other");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "other");
}

// No file may grow beyond three octets: the disk is full in the middle.
bool write_to_a_full_disk(const std::filesystem::path& file, IfThere there) {
  rlimit before{};
  EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit little{3, before.rlim_max};
  const auto former = ::signal(SIGXFSZ, SIG_IGN);
  EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
  const auto written = write_private_file(file, as_bytes("secret"), there);
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, former);
  return static_cast<bool>(written);
}

TEST_F(PrivateFile, WhatCannotBeWrittenWholeDoesNotStay) {
  EXPECT_FALSE(write_private_file(folder / "nowhere" / "key", as_bytes("secret"), IfThere::kFail));
  EXPECT_FALSE(write_to_a_full_disk(file, IfThere::kFail));
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST_F(PrivateFile, WhatCannotBeWrittenWholeReplacesNothing) {
  ASSERT_TRUE(write_private_file(file, as_bytes("the former one"), IfThere::kFail));
  EXPECT_FALSE(write_to_a_full_disk(file, IfThere::kReplace));
  EXPECT_EQ(content(), "the former one");
  std::filesystem::remove(file);
  EXPECT_TRUE(std::filesystem::is_empty(folder)) << "nothing of the new one stays";
}

}  // namespace
}  // namespace hearthcast::linux
