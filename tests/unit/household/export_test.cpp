#include "appliance/household/export.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/unit/household/home.hpp"
#include "tunnelmgr/sqlite/backup.hpp"

namespace hearthcast::household {
namespace {

using testing::HasSubstr;
using testing_home::Home;
namespace fs = std::filesystem;

struct ExportTest : testing::Test {
  ExportTest() {
    std::ofstream(home.scratch.path() / "identity.pem") << "the key";
    laptop = home.pair(device);
    news = home.add_channel("News", "239.1.1.1");
    film = home.add_channel("Film", "239.1.1.2");
    DeviceChange change;
    change.state = access::DeviceState::kApproved;
    change.grants = access::Grants{.all = false, .channels = {news}};
    EXPECT_TRUE(home.household->change_device(laptop, change));
  }
  std::unique_ptr<Household> started(const fs::path& folder) {
    return Household::open(folder,
                           {home.crypto, home.random, home.box, home.log, {.memory_kib = 64, .passes = 1}})
        .value();
  }
  static std::string text_of(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  Home home;
  secure::OpenSslIdentity device = secure::make_identity();
  DeviceId laptop;
  ChannelId news, film;
  testing_scratch::Scratch elsewhere;
};

TEST_F(ExportTest, ABoxLivesOnElsewhereWithAllThatItHad) {
  const auto box = export_box(*home.household);
  ASSERT_TRUE(box) << box.error().text;
  const auto restored = restore_box(*box, elsewhere.path() / "new", false);
  ASSERT_TRUE(restored) << restored.error().text;
  EXPECT_EQ(restored->devices, 1U);
  EXPECT_EQ(restored->channels, 2U);
  EXPECT_TRUE(restored->former.empty());
  EXPECT_EQ(text_of(elsewhere.path() / "new" / "identity.pem"), "the key");

  const auto household = started(elsewhere.path() / "new");
  const auto* found = household->access().devices().find(device.id());
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->state, access::DeviceState::kApproved);
  EXPECT_EQ(found->grants.channels, std::set<ChannelId>{news});
  EXPECT_EQ(household->access().catalogue().find(film)->name, "Film");
}

TEST_F(ExportTest, NoNumberIsUsedAgainAndNobodyIsSignedIn) {
  const auto before = home.household->reserve_counters(100).value();
  home.household->remember_logins({store::Login{{1}, true, {}}});
  ASSERT_TRUE(restore_box(export_box(*home.household).value(), elsewhere.path(), false));
  const auto household = started(elsewhere.path());
  EXPECT_GT(household->reserve_counters(1).value().generation, before.generation);
  EXPECT_GT(household->access().devices().revision(), home.household->access().devices().revision());
  EXPECT_TRUE(household->logins().empty());
}

TEST_F(ExportTest, WhatIsThereStaysUnlessForced) {
  const auto box = export_box(*home.household).value();
  std::ofstream(elsewhere.path() / "identity.pem") << "another key";
  const auto refused = restore_box(box, elsewhere.path(), false);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text, HasSubstr("--force"));
  EXPECT_EQ(text_of(elsewhere.path() / "identity.pem"), "another key");
  EXPECT_FALSE(fs::exists(elsewhere.path() / "box.sqlite"));

  const auto forced = restore_box(box, elsewhere.path(), true);
  ASSERT_TRUE(forced) << forced.error().text;
  EXPECT_EQ(text_of(elsewhere.path() / "identity.pem"), "the key");
  EXPECT_EQ(text_of(forced->former / "identity.pem"), "another key");
  const auto again = restore_box(box, elsewhere.path(), true);
  ASSERT_TRUE(again);
  EXPECT_NE(again->former, forced->former) << "nothing is written over";
}

TEST_F(ExportTest, ADatabaseThatIsNoneLeavesEverythingAsItWas) {
  std::ofstream(elsewhere.path() / "identity.pem") << "another key";
  for (const Buffer& database : {Buffer{1, 2, 3}, Buffer(8192, 0x41)}) {
    const auto refused = restore_box({"the key", database}, elsewhere.path(), true);
    EXPECT_FALSE(refused) << database.size();
    EXPECT_EQ(text_of(elsewhere.path() / "identity.pem"), "another key");
    EXPECT_FALSE(fs::exists(elsewhere.path() / "before-restore-1"));
    EXPECT_FALSE(fs::exists(elsewhere.path() / ".restoring"));
  }
}

TEST_F(ExportTest, ADamagedDatabaseIsRefused) {
  auto box = export_box(*home.household).value();
  std::fill(box.database.begin() + 4096, box.database.end(), std::uint8_t{0xff});
  EXPECT_FALSE(restore_box(box, elsewhere.path(), false));
  EXPECT_FALSE(fs::exists(elsewhere.path() / "identity.pem"));
}

TEST_F(ExportTest, OnlyTheOwnerMayReadWhatIsRestored) {
  ASSERT_TRUE(restore_box(export_box(*home.household).value(), elsewhere.path(), false));
  const auto permissions = fs::status(elsewhere.path() / "identity.pem").permissions();
  EXPECT_EQ(permissions & fs::perms::all, fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(ExportTest, APowerCutLeavesOneWholeBox) {
  const auto box = export_box(*home.household).value();
  const auto exists = [](const fs::path& file) { return fs::exists(file); };
  for (int cut = 0; cut < 5; ++cut) {
    SCOPED_TRACE(cut);
    // A box that was restored in one go is taken apart into what a cut after `cut` steps leaves.
    testing_scratch::Scratch scratch;
    const fs::path& state = scratch.path();
    ASSERT_TRUE(restore_box(box, state, false));
    const fs::path waits = state / ".restored";
    const fs::path aside = state / "before-restore-1";
    fs::create_directory(waits);
    fs::create_directory(aside);
    if (cut < 4) {
      fs::rename(state / "identity.pem", waits / "identity.pem");
    }
    if (cut < 3) {
      fs::rename(state / "box.sqlite", waits / "box.sqlite");
    }
    std::ofstream((cut < 1 ? state : aside) / "box.sqlite") << "another database";
    std::ofstream((cut < 1 ? state : aside) / "box.sqlite-wal") << "another journal";
    std::ofstream((cut < 2 ? state : aside) / "identity.pem") << "another key";
    EXPECT_EQ(finish_restore(state).value(), true);
    EXPECT_EQ(text_of(state / "identity.pem"), "the key");
    EXPECT_FALSE(exists(state / "box.sqlite-wal"));
    EXPECT_NE(started(state)->access().devices().find(device.id()), nullptr);
    EXPECT_FALSE(exists(waits));
    EXPECT_EQ(finish_restore(state).value(), false) << "there is nothing to do any more";
    EXPECT_TRUE(exists(aside / "identity.pem") || exists(state / "before-restore-2" / "identity.pem"))
        << "the former is kept";
  }
}

TEST_F(ExportTest, WhatACutLeftIsABoxThatIsNotWrittenOver) {
  const auto box = export_box(*home.household).value();
  ASSERT_TRUE(restore_box(box, elsewhere.path(), false));
  fs::create_directory(elsewhere / ".restored");
  for (const char* name : {"box.sqlite", "identity.pem"}) {
    fs::rename(elsewhere / name, elsewhere / ".restored" / name);
  }
  const auto refused = restore_box(box, elsewhere.path(), false);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text, HasSubstr("--force"));
  EXPECT_EQ(text_of(elsewhere / "identity.pem"), "the key");
}

TEST_F(ExportTest, WithoutItsKeyABoxIsNotExported) {
  fs::remove(home.scratch.path() / "identity.pem");
  const auto box = export_box(*home.household);
  ASSERT_FALSE(box);
  EXPECT_THAT(box.error().text, HasSubstr("identity.pem"));
}

}  // namespace
}  // namespace hearthcast::household
