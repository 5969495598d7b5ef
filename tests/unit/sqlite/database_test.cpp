#include "tunnelmgr/sqlite/database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/unit/sqlite/scratch.hpp"
#include "tunnelmgr/sqlite/migrations.hpp"

namespace hearthcast::sqlite {
namespace {

using testing::HasSubstr;
using testing_scratch::Scratch;

class DatabaseTest : public testing::Test {
 protected:
  std::int64_t count() {
    std::int64_t rows = -1;
    (void)database.query("SELECT count(*) FROM t", {}, [&](const Row& row) { rows = row.integer(0); });
    return rows;
  }
  Scratch scratch;
  Database database = Database::open(scratch / "a.sqlite").value();
};

TEST_F(DatabaseTest, KeepsEveryKindOfValue) {
  ASSERT_TRUE(database.run("CREATE TABLE t (i INTEGER, s TEXT, b BLOB, n INTEGER)"));
  const Buffer blob = {0, 1, 255};
  ASSERT_TRUE(database.run("INSERT INTO t VALUES (?,?,?,?)",
                           {std::int64_t{-5}, std::string_view("a\0b", 3), Bytes(blob), nullptr}));
  ASSERT_TRUE(database.run("INSERT INTO t VALUES (?,?,?,?)",
                           {std::int64_t{0}, std::string_view(), Bytes(), nullptr}));
  int rows = 0;
  ASSERT_TRUE(database.query("SELECT i, s, b, n FROM t ORDER BY i", {}, [&](const Row& row) {
    if (rows++ == 0) {
      EXPECT_EQ(row.integer(0), -5);
      EXPECT_EQ(row.text(1), std::string("a\0b", 3));
      EXPECT_EQ(row.blob(2), blob);
    } else {
      EXPECT_FALSE(row.is_null(1));
      EXPECT_FALSE(row.is_null(2));
      EXPECT_TRUE(row.blob(2).empty());
    }
    EXPECT_TRUE(row.is_null(3));
  }));
  EXPECT_EQ(rows, 2);
}

TEST_F(DatabaseTest, SurvivesPowerCutsByItsModes) {
  std::string mode;
  std::int64_t synchronous = 0;
  ASSERT_TRUE(database.query("PRAGMA journal_mode", {}, [&](const Row& row) { mode = row.text(0); }));
  ASSERT_TRUE(
      database.query("PRAGMA synchronous", {}, [&](const Row& row) { synchronous = row.integer(0); }));
  EXPECT_EQ(mode, "wal");
  EXPECT_EQ(synchronous, 2);  // FULL
}

TEST_F(DatabaseTest, ATransactionIsAllOrNothing) {
  ASSERT_TRUE(database.run("CREATE TABLE t (i INTEGER UNIQUE)"));
  {
    Transaction transaction(database);
    transaction.run("INSERT INTO t VALUES (1)");
    transaction.run("INSERT INTO t VALUES (1)");  // breaks UNIQUE
    transaction.run("INSERT INTO t VALUES (2)");  // skipped
    EXPECT_TRUE(transaction.failed());
    const auto done = transaction.commit();
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().text, HasSubstr("UNIQUE"));
  }
  EXPECT_EQ(count(), 0);
  {
    Transaction abandoned(database);
    abandoned.run("INSERT INTO t VALUES (3)");
  }
  EXPECT_EQ(count(), 0);
  Transaction good(database);
  good.run("INSERT INTO t VALUES (4)");
  EXPECT_TRUE(good.commit());
  EXPECT_EQ(count(), 1);
}

TEST_F(DatabaseTest, AFullDiskChangesNothingAndIsForgottenWhenThereIsRoom) {
  ASSERT_TRUE(database.run("CREATE TABLE t (b BLOB)"));
  ASSERT_TRUE(database.run("INSERT INTO t VALUES (zeroblob(100))"));
  std::int64_t pages = 0;
  ASSERT_TRUE(database.query("PRAGMA page_count", {}, [&](const Row& row) { pages = row.integer(0); }));
  ASSERT_TRUE(database.run_script("PRAGMA max_page_count=" + std::to_string(pages + 2)));
  {
    Transaction transaction(database);
    for (int i = 0; i < 100; ++i) {
      transaction.run("INSERT INTO t VALUES (zeroblob(1000))");
    }
    const auto done = transaction.commit();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, Error::Kind::kFull);
    EXPECT_THAT(done.error().text, HasSubstr("free some space"));
  }
  EXPECT_EQ(count(), 1);
  ASSERT_TRUE(database.run_script("PRAGMA max_page_count=1000000"));
  EXPECT_TRUE(database.run("INSERT INTO t VALUES (zeroblob(1000))"));
  EXPECT_EQ(count(), 2);
}

TEST_F(DatabaseTest, WrongSqlIsAnErrorEachTime) {
  EXPECT_FALSE(database.run("SELEKT"));
  EXPECT_FALSE(database.run("SELEKT"));
}

TEST(Database, SaysWhatIsNoDatabase) {
  Scratch scratch;
  std::ofstream(scratch / "bad.sqlite") << std::string(5000, 'x');
  const auto opened = Database::open(scratch / "bad.sqlite");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, Error::Kind::kDamaged);
  EXPECT_EQ(Database::open(scratch / "missing/dir.sqlite").error().kind, Error::Kind::kUnwritable);
}

constexpr Migration kSteps[] = {{1, "CREATE TABLE t (i INTEGER); INSERT INTO t VALUES (1);"},
                                {2, "ALTER TABLE t ADD COLUMN s TEXT;"}};

TEST_F(DatabaseTest, MigratesOnceAndStepByStep) {
  ASSERT_TRUE(migrate(database, std::span(kSteps).first(1)));
  ASSERT_TRUE(migrate(database, kSteps));
  ASSERT_TRUE(migrate(database, kSteps));
  EXPECT_EQ(count(), 1);
  EXPECT_TRUE(database.run("UPDATE t SET s='x'"));
}

TEST_F(DatabaseTest, AFailedStepLeavesTheVersionBeforeIt) {
  const Migration broken[] = {kSteps[0], {2, "ALTER TABLE t ADD COLUMN s TEXT; NONSENSE;"}};
  EXPECT_FALSE(migrate(database, broken));
  ASSERT_TRUE(migrate(database, kSteps));  // would fail if the column were there already
}

TEST_F(DatabaseTest, RefusesADatabaseOfANewerVersion) {
  ASSERT_TRUE(database.run_script("PRAGMA user_version=3"));
  const auto migrated = migrate(database, kSteps);
  ASSERT_FALSE(migrated);
  EXPECT_EQ(migrated.error().kind, Error::Kind::kTooNew);
}

}  // namespace
}  // namespace hearthcast::sqlite
