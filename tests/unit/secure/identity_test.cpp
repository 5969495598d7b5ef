#include "tunnelmgr/secure/identity.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::secure {
namespace {

namespace fs = std::filesystem;

class IdentityFile : public testing::Test {
 public:
  IdentityFile() {
    std::string name = (fs::temp_directory_path() / "identity-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~IdentityFile() override { fs::remove_all(folder_); }

 protected:
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), {}));
  }
  void write(const std::string& text) const { std::ofstream(file()) << text; }
  [[nodiscard]] fs::path file() const { return folder_ / "identity.pem"; }
  fs::path folder_;
};

TEST(Identity, IdIsTheHashOfThePublicKey) {
  const OpenSslIdentity identity = make_identity();
  EXPECT_EQ(identity.public_key().size(), 91U);
  EXPECT_EQ(identity.id().digest, OpenSslCrypto().sha256(identity.public_key()));
  EXPECT_NE(identity.id(), make_identity().id());
}

TEST(Identity, BothSidesAgreeOnOneSecret) {
  const OpenSslIdentity box = make_identity();
  const OpenSslIdentity device = make_identity();
  const auto secret = box.agree(device.public_key());
  ASSERT_TRUE(secret);
  EXPECT_EQ(secret->size(), 32U);
  EXPECT_EQ(secret, device.agree(box.public_key()));
  EXPECT_NE(secret, box.agree(make_identity().public_key()));
  EXPECT_FALSE(box.agree(device.public_key().first(90)));
  EXPECT_FALSE(box.agree({}));
}

TEST_F(IdentityFile, IsMadeOnceAndPrivate) {
  const auto made = load_or_make_identity(file());
  ASSERT_TRUE(made) << made.error().text;
  struct stat status {};
  ASSERT_EQ(::stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(files(), 1U);
  const auto again = load_or_make_identity(file());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->id(), made->id());
}

TEST_F(IdentityFile, WhatItHoldsIsReadWithoutTheFile) {
  const auto made = load_or_make_identity(file());
  ASSERT_TRUE(made);
  std::ifstream in(file());
  const auto read = identity_from_pem(std::string(std::istreambuf_iterator<char>(in), {}));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id(), made->id());
  EXPECT_FALSE(identity_from_pem("garbage"));
}

TEST_F(IdentityFile, DamagedFileIsRefusedAndKept) {
  for (const char* text : {"", "garbage", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}) {
    write(text);
    const auto loaded = load_or_make_identity(file());
    ASSERT_FALSE(loaded) << text;
    EXPECT_NE(loaded.error().text.find("restore it from a backup"), std::string::npos);
    std::ifstream in(file());
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), text);
  }
}

TEST_F(IdentityFile, MissingFileOrFolderIsAClearFailure) {
  EXPECT_FALSE(load_identity(file()));
  const auto made = load_or_make_identity(folder_ / "absent" / "identity.pem");
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().text.find("absent"), std::string::npos);
}

TEST_F(IdentityFile, LeavesNothingBehindWhenItCannotWrite) {
  fs::create_directory(folder_ / ("identity.pem.new." + std::to_string(::getpid())));
  EXPECT_FALSE(load_or_make_identity(file()));
  EXPECT_FALSE(fs::exists(file()));
}

// In a child with a mount namespace of its own; the exit code names the check that failed.
int on_a_full_disk(const fs::path& folder) {
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("none", folder.c_str(), "tmpfs", 0, "size=4096") != 0) {
    return 100;
  }
  const fs::path filler = folder / "filler";
  std::ofstream(filler) << std::string(4096, 'x');
  const auto failed = load_or_make_identity(folder / "identity.pem");
  if (failed || failed.error().text.find("free some space") == std::string::npos) {
    return 1;
  }
  if (std::distance(fs::directory_iterator(folder), {}) != 1) {
    return 2;
  }
  fs::remove(filler);
  return load_or_make_identity(folder / "identity.pem") ? 0 : 3;
}

TEST_F(IdentityFile, FullDiskIsAClearFailureAndRecovers) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root to mount a small disk";
  }
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(on_a_full_disk(folder_));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace hearthcast::secure
