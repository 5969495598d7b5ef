// Lists reach the disk whatever the order of events: many at once, a full disk, an end in the middle.
#include "rendezvous-server/api/list_keeper.hpp"

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "tests/unit/http/loopback.hpp"
#include "tunnelmgr/secure/identity.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::rendezvous {
namespace {

struct CountingLog final : Log {
  void write(Level, std::string_view event, std::initializer_list<Field>) override {
    events.emplace_back(event);
  }
  std::vector<std::string> events;
};

struct ListKeeperTest : testing::Test {
  ListKeeperTest() {
    std::string name = testing::TempDir() + "hearthcast-keeper-XXXXXX";
    folder = ::mkdtemp(name.data());
    keeper.emplace(io, log, std::move(Store::open(folder / "r.db")->store));
  }
  ~ListKeeperTest() override {
    keeper.reset();
    io.restart();
    io.run();
    std::filesystem::remove_all(folder);
  }
  static AllowRecord record(std::uint8_t box, std::uint64_t revision) {
    AllowRecord r;
    r.box.digest.fill(box);
    r.public_key = {1};
    r.allow = {{}, revision, {2}};
    return r;
  }
  // Revisions by box, as another run of the program would find them.
  std::map<int, std::uint64_t> stored() {
    std::map<int, std::uint64_t> found;
    for (const AllowRecord& r : *Store::open(folder / "r.db")->store.load()) {
      found[r.box.digest[0]] = r.allow.revision;
    }
    return found;
  }

  std::filesystem::path folder;
  boost::asio::io_context io;
  CountingLog log;
  std::optional<ListKeeper> keeper;
};

TEST_F(ListKeeperTest, TheLastListOfEachBoxIsKept) {
  for (std::uint64_t revision = 1; revision <= 50; ++revision) {
    keeper->keep(record(1, revision));
    keeper->keep(record(static_cast<std::uint8_t>(2 + revision % 3), revision));
  }
  const std::map<int, std::uint64_t> expected = {{1, 50}, {2, 48}, {3, 49}, {4, 50}};
  EXPECT_TRUE(http::turn_until(io, [&] { return stored() == expected; }));
}

TEST_F(ListKeeperTest, WhatWaitsAtTheEndIsWrittenTooAndNothingRunsAfterwards) {
  for (std::uint8_t box = 1; box <= 20; ++box) {  // one is being written, the others wait behind it
    keeper->keep(record(box, box));
  }
  keeper->stop();
  keeper.reset();
  EXPECT_EQ(stored().size(), 20U);
  io.restart();
  io.run();  // the completion of the write that was in hand
  EXPECT_EQ(stored().size(), 20U);
  EXPECT_TRUE(log.events.empty());
}

TEST_F(ListKeeperTest, AListThatCannotBeWrittenIsSaidAndNotForgotten) {
  sqlite3* other = nullptr;  // somebody holds the file
  ASSERT_EQ(sqlite3_open((folder / "r.db").c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "DROP TABLE allow_list", nullptr, nullptr, nullptr), SQLITE_OK);
  keeper->keep(record(1, 1));
  ASSERT_TRUE(http::turn_until(io, [&] { return !log.events.empty(); }));
  EXPECT_EQ(log.events[0], "allow_list_not_stored");
  keeper->keep(record(1, 2));  // newer than the one that failed
  ASSERT_TRUE(http::turn_until(io, [&] { return log.events.size() >= 2; }));
  ASSERT_EQ(sqlite3_exec(other,
                         "CREATE TABLE allow_list (box BLOB PRIMARY KEY, public_key BLOB, revision BLOB,"
                         "devices BLOB, signature BLOB) WITHOUT ROWID",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(other);
  keeper.reset();
  const std::map<int, std::uint64_t> expected = {{1, 2}};
  EXPECT_EQ(stored(), expected);
}

TEST_F(ListKeeperTest, ChangesAreKeptInTheirOrderAndEachIsToldOnce) {
  int told = 0;
  for (std::int64_t n = 1; n <= 30; ++n) {
    Change change;
    change.owners = {OwnerRecord{{1}, "name " + std::to_string(n), n}};
    keeper->keep(std::move(change), [&](const Result<void, Failure>& done) { told += done ? 1 : 100; });
  }
  ASSERT_TRUE(http::turn_until(io, [&] { return told >= 30; }));
  EXPECT_EQ(told, 30);
  EXPECT_TRUE(keeper->writes());
  EXPECT_EQ(Store::open(folder / "r.db")->store.load_directory()->owners.at(0).name, "name 30");
}

TEST_F(ListKeeperTest, ChangesThatWaitAtTheEndAreWritten) {
  for (std::int64_t n = 1; n <= 5; ++n) {
    Change change;
    change.owners = {OwnerRecord{{n}, std::to_string(n), n}};
    keeper->keep(std::move(change));
  }
  keeper->stop();
  keeper.reset();
  EXPECT_EQ(Store::open(folder / "r.db")->store.load_directory()->owners.size(), 5U);
  EXPECT_TRUE(log.events.empty());
}

TEST_F(ListKeeperTest, AChangeThatFailsHoldsUpThoseBehindItUntilItCanBeWritten) {
  Change first;  // of an owner that comes later only
  first.boxes = {BoxRecord{record(1, 1).box, 0, "", OwnerId{1}, std::nullopt}};
  Change second;
  second.owners = {OwnerRecord{{2}, "Bert", 0}};
  std::vector<bool> told;
  keeper->keep(first, [&](const Result<void, Failure>& done) { told.push_back(done.has_value()); });
  ASSERT_TRUE(http::turn_until(io, [&] { return told.size() == 1; }));
  EXPECT_FALSE(keeper->writes());
  EXPECT_EQ(log.events.back(), "directory_not_stored");
  keeper->keep(second, [&](const Result<void, Failure>& done) { told.push_back(done.has_value()); });
  ASSERT_TRUE(http::turn_until(io, [&] { return told.size() == 2; }));
  EXPECT_EQ(told, (std::vector<bool>{false, false}));
  {
    Change mended;
    mended.owners = {OwnerRecord{{1}, "Household", 0}};
    ASSERT_TRUE(Store::open(folder / "r.db")->store.save(mended));
  }
  keeper->keep(record(7, 1));  // whatever comes next tries the others again
  ASSERT_TRUE(http::turn_until(io, [&] { return keeper->writes(); }));
  const auto all = Store::open(folder / "r.db")->store.load_directory();
  EXPECT_EQ(all->boxes.size(), 1U);
  EXPECT_EQ(all->owners.size(), 2U);
}

}  // namespace
}  // namespace hearthcast::rendezvous
