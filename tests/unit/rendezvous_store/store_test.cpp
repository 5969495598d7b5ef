#include "rendezvous-server/store/store.hpp"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <fstream>

#include "tunnelmgr/secure/identity.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::rendezvous {
namespace {

struct StoreTest : testing::Test {
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

TEST_F(StoreTest, KeepsTheDirectoryAcrossRestarts) {
  const OwnerRecord household{{3}, "Household", 1'800'000'000};
  const BoxRecord open_one{box.id(), 5, "", std::nullopt, std::nullopt};
  const BoxRecord closed_one{secure::make_identity().id(), 6, "Attic", household.id, "unpaid"};
  const TokenRecord limited{{1}, box.id().digest, "note", household.id, 7, 8, 9};
  const TokenRecord unlimited{{2}, {}, "", std::nullopt, 7, std::nullopt, std::nullopt};
  {
    auto opened = open();
    Change change;
    change.owners = {household};
    change.boxes = {open_one, closed_one};
    change.tokens = {limited, unlimited};
    ASSERT_TRUE(opened.store.save(change));
  }
  auto opened = open();
  const auto all = opened.store.load_directory();
  ASSERT_TRUE(all);
  EXPECT_THAT(all->owners, testing::ElementsAre(household));
  EXPECT_THAT(all->boxes, testing::UnorderedElementsAre(open_one, closed_one));
  EXPECT_THAT(all->tokens, testing::ElementsAre(limited, unlimited));

  ASSERT_TRUE(opened.store.save(record(1, {})));
  Change gone;
  gone.boxes = {BoxRecord{closed_one.box, 6, "Attic", std::nullopt, std::nullopt}};
  gone.tokens = {TokenRecord{{1}, box.id().digest, "note", std::nullopt, 7, 8, 0}};
  gone.owners_gone = {household.id};
  gone.boxes_gone = {box.id()};
  gone.tokens_gone = {unlimited.id};
  ASSERT_TRUE(opened.store.save(gone));
  EXPECT_THAT(opened.store.load_directory()->owners, testing::IsEmpty());
  EXPECT_THAT(opened.store.load_directory()->boxes, testing::ElementsAreArray(gone.boxes));
  EXPECT_THAT(opened.store.load_directory()->tokens, testing::ElementsAreArray(gone.tokens));
  EXPECT_THAT(*opened.store.load(), testing::IsEmpty()) << "the list of a box that is gone";
}

TEST_F(StoreTest, AChangeIsWrittenWholeOrNotAtAll) {
  auto opened = open();
  Change change;
  change.owners = {OwnerRecord{{1}, "Household", 0}};
  change.boxes = {BoxRecord{box.id(), 0, "", OwnerId{77}, std::nullopt}};  // of an owner that there is not
  ASSERT_FALSE(opened.store.save(change));
  EXPECT_THAT(opened.store.load_directory()->owners, testing::IsEmpty());
}

TEST_F(StoreTest, ABoxOfTheFirstVersionIsEnrolled) {
  ASSERT_TRUE(open().store.save(record(1, {})));
  {
    auto database = sqlite::Database::open(folder / "rendezvous.db");
    ASSERT_TRUE(
        database->run_script("DROP TABLE box; DROP TABLE token; DROP TABLE owner; PRAGMA user_version = 1;"));
  }
  auto opened = open();
  EXPECT_EQ(opened.lost, "");
  ASSERT_THAT(opened.store.load_directory()->boxes, testing::SizeIs(1));
  EXPECT_EQ(opened.store.load_directory()->boxes[0].box, box.id());
}

TEST_F(StoreTest, OnlyAnIntactDatabaseOfARendezvousIsOne) {
  const auto why = [&](const char* name) {
    const auto checked = check_database(folder / name);
    return checked ? std::string() : checked.error().text;
  };
  ASSERT_TRUE(open().store.save(record(1, {})));
  EXPECT_EQ(why("rendezvous.db"), "");
  EXPECT_THAT(why("absent.db"), testing::HasSubstr("is no file"));
  EXPECT_FALSE(std::filesystem::exists(folder / "absent.db"));
  std::ofstream(folder / "text.db") << std::string(8192, 'x');
  EXPECT_NE(why("text.db"), "");
  ASSERT_TRUE(sqlite::Database::open(folder / "other.db")
                  ->run_script("CREATE TABLE x (y); PRAGMA user_version = 1;"));
  EXPECT_THAT(why("other.db"), testing::HasSubstr("not the database of a rendezvous"));
  ASSERT_TRUE(sqlite::Database::open(folder / "rendezvous.db")->run_script("PRAGMA user_version = 99;"));
  EXPECT_THAT(why("rendezvous.db"), testing::HasSubstr("newer version"));
}

}  // namespace
}  // namespace hearthcast::rendezvous
