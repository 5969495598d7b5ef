#include "tunnelmgr/secure/identity.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <fstream>

#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::secure {
namespace {

namespace fs = std::filesystem;

class IdentityFile : public testing::Test {
 protected:
  IdentityFile() {
    std::string name = (fs::temp_directory_path() / "identity-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~IdentityFile() override { fs::remove_all(folder_); }
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

// /dev/full answers every write with "no space left"; a link to it would have to be followed, so the draft's
// name is occupied by a folder instead, and the full disk itself is an end-to-end test.
TEST_F(IdentityFile, LeavesNothingBehindWhenItCannotWrite) {
  fs::create_directory(folder_ / ("identity.pem.new." + std::to_string(::getpid())));
  EXPECT_FALSE(load_or_make_identity(file()));
  EXPECT_FALSE(fs::exists(file()));
}

}  // namespace
}  // namespace hearthcast::secure
