#include "rendezvous-server/store/store.hpp"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <fstream>

#include "tunnelmgr/secure/identity.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::rendezvous {
namespace {

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    std::string name = testing::TempDir() + "hearthcast-rendezvous-XXXXXX";
    folder = ::mkdtemp(name.data());
  }
  ~StoreTest() override { std::filesystem::remove_all(folder); }
  AllowRecord record(std::uint64_t revision, std::vector<IdentityId> devices) {
    AllowRecord r{
        box.id(), {box.public_key().begin(), box.public_key().end()}, {std::move(devices), revision, {}}};
    r.allow.signature = box.sign(signalling::allow_signature_input(r.allow));
    return r;
  }
  Store::Opened open() {
    auto opened = Store::open(folder / "rendezvous.db");
    EXPECT_TRUE(opened) << opened.error().text;
    return std::move(*opened);
  }
  std::filesystem::path folder;
  secure::OpenSslCrypto crypto;
  secure::OpenSslIdentity box = secure::make_identity();
};

TEST_F(StoreTest, KeepsTheLastListOfEachBoxAcrossRestarts) {
  const IdentityId device = secure::make_identity().id();
  const std::uint64_t high = ~std::uint64_t{0};
  {
    auto opened = open();
    EXPECT_EQ(opened.lost, "");
    ASSERT_TRUE(opened.store.save(record(1, {})));
    ASSERT_TRUE(opened.store.save(record(high, {device, box.id()})));
  }
  const auto records = open().store.load();
  ASSERT_TRUE(records);
  ASSERT_THAT(*records, testing::SizeIs(1));
  EXPECT_THAT(records->front().allow.devices, testing::ElementsAre(device, box.id()));
  EXPECT_EQ(records->front().allow.revision, high);
  AllowLists lists;
  EXPECT_TRUE(lists.load(crypto, records->front()));
  EXPECT_TRUE(lists.allows(box.id(), device));
}

TEST_F(StoreTest, ADamagedFileIsMovedAsideAndTheServiceStartsAgain) {
  {
    auto opened = open();
    ASSERT_TRUE(opened.store.save(record(1, {})));
  }
  {
    std::ofstream file(folder / "rendezvous.db", std::ios::binary | std::ios::trunc);
    file << std::string(8192, 'x');
  }
  auto opened = open();
  EXPECT_NE(opened.lost, "");
  EXPECT_THAT(*opened.store.load(), testing::IsEmpty());
  EXPECT_TRUE(opened.store.save(record(1, {})));
}

TEST_F(StoreTest, ABackupComesBackWhenTheFileIsGone) {
  {
    auto opened = open();
    ASSERT_TRUE(opened.store.save(record(7, {})));
    ASSERT_TRUE(opened.store.back_up());
  }
  std::filesystem::remove(folder / "rendezvous.db");
  std::filesystem::remove(folder / "rendezvous.db-wal");
  auto opened = open();
  ASSERT_THAT(*opened.store.load(), testing::SizeIs(1));
  EXPECT_EQ(opened.store.load()->front().allow.revision, 7U);
}

TEST_F(StoreTest, AFolderThatIsMissingIsAFailureInWords) {
  const auto opened = Store::open(folder / "nowhere" / "x.db");
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().text, "");
}

}  // namespace
}  // namespace hearthcast::rendezvous
