#include "tunnelmgr/sqlite/durable.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/unit/sqlite/scratch.hpp"

namespace hearthcast::sqlite {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing_scratch::Scratch;
using Origin = Durable::Origin;

constexpr Migration kSteps[] = {{1, "CREATE TABLE t (i INTEGER);"}};

class DurableTest : public testing::Test {
 protected:
  Durable open() { return open_durable(file, kSteps).value(); }
  void put(Database& database, std::int64_t i) { ASSERT_TRUE(database.run("INSERT INTO t VALUES (?)", {i})); }
  std::int64_t largest(Database& database) {
    std::int64_t i = -1;
    (void)database.query("SELECT max(i) FROM t", {},
                         [&](const Row& row) { i = row.is_null(0) ? 0 : row.integer(0); });
    return i;
  }
  // Overwrites everything behind the header's first page half, so that the damage is inside.
  void damage(const fs::path& path) {
    std::fstream stream(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto size = static_cast<std::streamoff>(fs::file_size(path));
    stream.seekp(100);
    stream << std::string(static_cast<std::size_t>(size) - 100, '\xa5');
  }

  Scratch scratch;
  fs::path file = scratch / "box.sqlite";
};

TEST_F(DurableTest, IsNewThenExisting) {
  {
    auto first = open();
    EXPECT_EQ(first.origin, Origin::kNew);
    put(first.database, 7);
  }
  auto again = open();
  EXPECT_EQ(again.origin, Origin::kExisting);
  EXPECT_EQ(largest(again.database), 7);
}

TEST_F(DurableTest, ADamagedOneIsMovedAsideAndTheNewestBackupComesBack) {
  {
    auto first = open();
    put(first.database, 1);
    ASSERT_TRUE(back_up(first.database, Rotate::kShift));
    put(first.database, 2);
    ASSERT_TRUE(back_up(first.database, Rotate::kShift));
    put(first.database, 3);
  }
  damage(file);
  auto restored = open();
  EXPECT_EQ(restored.origin, Origin::kRestored);
  EXPECT_EQ(largest(restored.database), 2);
  EXPECT_TRUE(fs::exists(file.string() + ".damaged-1"));
  EXPECT_THAT(restored.text, HasSubstr("damaged-1"));
  put(restored.database, 4);  // and it works
}

TEST_F(DurableTest, ADamagedBackupIsPassedOver) {
  {
    auto first = open();
    put(first.database, 1);
    ASSERT_TRUE(back_up(first.database, Rotate::kShift));
    put(first.database, 2);
    ASSERT_TRUE(back_up(first.database, Rotate::kShift));
  }
  damage(file);
  damage(backup_path(file, 1));
  auto restored = open();
  EXPECT_EQ(restored.origin, Origin::kRestored);
  EXPECT_EQ(largest(restored.database), 1);
}

TEST_F(DurableTest, ADeletedOneIsRestored) {
  {
    auto first = open();
    put(first.database, 1);
    ASSERT_TRUE(back_up(first.database, Rotate::kShift));
  }
  fs::remove(file);
  auto restored = open();
  EXPECT_EQ(restored.origin, Origin::kRestored);
  EXPECT_EQ(largest(restored.database), 1);
}

TEST_F(DurableTest, WithoutBackupItStartsOverAndKeepsTheDamagedFile) {
  std::ofstream(file) << "this is no database, and long enough to be looked at: " << std::string(4096, '?');
  auto fresh = open();
  EXPECT_EQ(fresh.origin, Origin::kStartedOver);
  EXPECT_EQ(largest(fresh.database), 0);
  EXPECT_TRUE(fs::exists(file.string() + ".damaged-1"));
}

TEST_F(DurableTest, ATruncatedOneIsDamaged) {
  {
    auto first = open();
    Transaction transaction(first.database);
    for (std::int64_t i = 0; i < 2000; ++i) {
      transaction.run("INSERT INTO t VALUES (?)", {i});
    }
    ASSERT_TRUE(transaction.commit());
    ASSERT_TRUE(back_up(first.database, Rotate::kShift));
  }
  fs::resize_file(file, fs::file_size(file) / 2);
  auto restored = open();
  EXPECT_EQ(restored.origin, Origin::kRestored);
  EXPECT_EQ(largest(restored.database), 1999);
}

TEST_F(DurableTest, KeepsThreeBackupsNewestFirst) {
  auto opened = open();
  for (int i = 1; i <= 5; ++i) {
    put(opened.database, i);
    ASSERT_TRUE(back_up(opened.database, Rotate::kShift));
  }
  put(opened.database, 6);
  ASSERT_TRUE(back_up(opened.database, Rotate::kReplaceNewest));
  const auto held = [&](int number) {
    auto copy = Database::open(backup_path(file, number)).value();
    return largest(copy);
  };
  EXPECT_EQ(held(1), 6);
  EXPECT_EQ(held(2), 4);
  EXPECT_EQ(held(3), 3);
  EXPECT_FALSE(fs::exists(backup_path(file, 4)));
}

TEST_F(DurableTest, ADatabaseOfANewerVersionStaysWhereItIs) {
  {
    auto first = open();
    ASSERT_TRUE(first.database.run_script("PRAGMA user_version=99"));
  }
  const auto opened = open_durable(file, kSteps);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, Error::Kind::kTooNew);
  EXPECT_FALSE(fs::exists(file.string() + ".damaged-1"));
}

}  // namespace
}  // namespace hearthcast::sqlite
