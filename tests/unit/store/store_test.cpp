#include "appliance/store/store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "appliance/store/generation.hpp"
#include "tests/unit/access/people.hpp"
#include "tests/unit/sqlite/scratch.hpp"

namespace hearthcast::store {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using access::DeviceState;
using access::testing_people::identity;
using access::testing_people::key;
using access::testing_people::listing;
using testing::HasSubstr;
using testing::IsEmpty;
using testing_scratch::Scratch;

class StoreTest : public testing::Test {
 protected:
  using Clock = std::chrono::system_clock;
  Store open(Clock::time_point now = Clock::now()) { return Store::open(scratch.path(), now).value(); }
  // Two channels, a device that is approved for one of them.
  Holdings sample() {
    Holdings h;
    auto one = listing("Один \"<b>\"", "239.1.1.1", 5000);
    one.attributes = {{"group-title", "News"}, {"tvg-logo", "http://example.net/l.png"}};
    news = h.catalogue.apply(one).value().id;
    film = h.catalogue.apply(listing("Film", "ff3e::1", 5002, "2001:db8::1")).value().id;
    laptop = h.devices.paired(identity(1), key(1), "laptop").value();
    EXPECT_TRUE(h.devices.set_state(laptop, DeviceState::kApproved));
    EXPECT_TRUE(h.devices.set_grants(laptop, {false, {film}}));
    EXPECT_TRUE(h.devices.set_home_hosts(
        laptop, {*HomeHost::parse("192.168.1.50:80"), *HomeHost::parse("192.168.1.0/24:443"),
                 *HomeHost::parse("fd00::5")}));
    return h;
  }
  void damage() {
    std::ofstream(scratch / "box.sqlite", std::ios::trunc) << std::string(8192, 'x');
    for (const char* suffix : {"-wal", "-shm"}) {
      fs::remove(scratch / (std::string("box.sqlite") + suffix));
    }
  }
  static void expect_same(const Holdings& a, const Holdings& b) {
    EXPECT_EQ(a.catalogue.channels(), b.catalogue.channels());
    EXPECT_EQ(a.catalogue.revision(), b.catalogue.revision());
    EXPECT_EQ(a.catalogue.next_id(), b.catalogue.next_id());
    EXPECT_EQ(a.devices.devices(), b.devices.devices());
    EXPECT_EQ(a.devices.revision(), b.devices.revision());
    EXPECT_EQ(a.devices.next_id(), b.devices.next_id());
  }

  Scratch scratch;
  ChannelId news, film;
  DeviceId laptop;
};

TEST_F(StoreTest, AnEmptyStoreIsClosed) {
  Store store = open();
  EXPECT_TRUE(store.load()->devices.devices().empty());
  EXPECT_FALSE(store.load_owner()->set_up());
  EXPECT_EQ(store.recovery(), "");
}

TEST_F(StoreTest, KeepsChannelsAndDevices) {
  const Holdings h = sample();
  {
    Store store = open();
    ASSERT_TRUE(store.save({}, h));
    expect_same(*store.load(), h);
  }
  Store again = open();
  expect_same(*again.load(), h);
}

TEST_F(StoreTest, WritesDifferencesToTheSameResult) {
  Store store = open();
  Holdings before = sample();
  (void)before.catalogue.apply(listing("Third", "239.1.1.3", 5000)).value();
  ASSERT_TRUE(store.save({}, before));

  Holdings after = before;
  ASSERT_TRUE(after.catalogue.remove(news));  // every position moves
  ASSERT_TRUE(after.catalogue.rename(film, "Kino"));
  (void)after.catalogue.apply(listing("Fourth", "239.1.1.4", 5000)).value();
  after.devices.drop_channel(news);
  (void)after.devices.paired(identity(2), key(2), "phone").value();
  ASSERT_TRUE(after.devices.set_grants(laptop, {true, {}}));
  ASSERT_TRUE(store.save(before, after));
  expect_same(*store.load(), after);

  Holdings last = after;
  ASSERT_TRUE(last.devices.forget(laptop));
  ASSERT_TRUE(store.save(after, last));
  expect_same(*store.load(), last);
}

TEST_F(StoreTest, KeepsLanLinksAsTheyAreSetReplacedAndTakenAway) {
  Holdings h = sample();
  Store store = open();
  ASSERT_TRUE(store.save({}, h));
  EXPECT_FALSE(store.load()->devices.find(laptop)->lan_link);
  for (const std::uint8_t n : {std::uint8_t{1}, std::uint8_t{2}}) {
    const Holdings before = h;
    Sha256 link;
    link.fill(n);
    ASSERT_TRUE(h.devices.set_lan_link(laptop, link));
    ASSERT_TRUE(store.save(before, h));
    expect_same(*open().load(), h);
  }
  const Holdings before = h;
  ASSERT_TRUE(h.devices.set_lan_link(laptop, std::nullopt));
  ASSERT_TRUE(store.save(before, h));
  expect_same(*open().load(), h);
}

TEST_F(StoreTest, TheSameAddressCanComeBackAfterARemoval) {
  Store store = open();
  const Holdings before = sample();
  ASSERT_TRUE(store.save({}, before));
  Holdings after = before;
  ASSERT_TRUE(after.catalogue.remove(news));
  (void)after.catalogue.apply(listing("again", "239.1.1.1", 5000)).value();
  ASSERT_TRUE(store.save(before, after));
  expect_same(*store.load(), after);
}

TEST_F(StoreTest, AFullDiskKeepsTheFormerStateWholeAndRecovers) {
  Store store = open();
  const Holdings before = sample();
  ASSERT_TRUE(store.save({}, before));
  std::int64_t pages = 0;
  ASSERT_TRUE(store.database().query("PRAGMA page_count", {},
                                     [&](const sqlite::Row& row) { pages = row.integer(0); }));
  ASSERT_TRUE(store.database().run_script("PRAGMA max_page_count=" + std::to_string(pages + 1)));

  Holdings after = before;
  for (std::uint16_t port = 6000; port < 6500; ++port) {
    (void)after.catalogue.apply(listing(std::string(100, 'n'), "239.1.1.9", port)).value();
  }
  ASSERT_TRUE(after.devices.set_state(laptop, DeviceState::kRevoked));
  const auto full = store.save(before, after);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().kind, sqlite::Error::Kind::kFull);
  expect_same(*store.load(), before);

  ASSERT_TRUE(store.database().run_script("PRAGMA max_page_count=1000000"));
  ASSERT_TRUE(store.save(before, after));
  expect_same(*store.load(), after);
}

TEST_F(StoreTest, KeepsTheOwner) {
  Store store = open();
  ASSERT_TRUE(store.save_owner({"", "7KQ4M2XW"}));
  EXPECT_FALSE(store.load_owner()->set_up());
  EXPECT_EQ(store.load_owner()->setup_code, "7KQ4M2XW");
  ASSERT_TRUE(store.save_owner({"$argon2id$...", ""}));
  EXPECT_TRUE(store.load_owner()->set_up());
  EXPECT_EQ(store.load_owner()->setup_code, "");
}

TEST_F(StoreTest, CountersAreNeverHandedOutTwice) {
  {
    Store store = open();
    EXPECT_EQ(store.reserve_counters(100)->first, 1U);
    EXPECT_EQ(store.reserve_counters(100)->first, 101U);
  }
  Store again = open();
  EXPECT_EQ(again.reserve_counters(100)->first, 201U);
  EXPECT_EQ(again.reserve_counters(100)->generation, 1U);
}

TEST_F(StoreTest, ContactsNeverGoBack) {
  Store store = open();
  ASSERT_TRUE(store.save({}, sample()));
  const auto contact = [&] { return (*store.load_contacts())[laptop]; };
  ASSERT_TRUE(store.save_contact(laptop, {1, 5, Endpoint::parse("198.51.100.7:4000")}));
  EXPECT_EQ(contact(), (Contact{1, 5, Endpoint::parse("198.51.100.7:4000")}));
  ASSERT_TRUE(store.save_contact(laptop, {1, 4, Endpoint::parse("[2001:db8::2]:4000")}));
  EXPECT_EQ(contact(), (Contact{1, 5, Endpoint::parse("[2001:db8::2]:4000")}));
  ASSERT_TRUE(store.save_contact(laptop, {2, 1, std::nullopt}));
  EXPECT_EQ(contact(), (Contact{2, 1, std::nullopt}));
  ASSERT_TRUE(store.save_contact(laptop, {1, 900, std::nullopt}));
  EXPECT_EQ(contact(), (Contact{2, 1, std::nullopt}));
}

TEST_F(StoreTest, AContactOfAForgottenDeviceIsGone) {
  Store store = open();
  const Holdings before = sample();
  ASSERT_TRUE(store.save({}, before));
  ASSERT_TRUE(store.save_contact(laptop, {1, 5, std::nullopt}));
  Holdings after = before;
  ASSERT_TRUE(after.devices.forget(laptop));
  ASSERT_TRUE(store.save(before, after));
  EXPECT_TRUE(store.load_contacts()->empty());
  EXPECT_TRUE(store.save_contact(laptop, {1, 6, std::nullopt}));  // late news of it does no harm
  EXPECT_TRUE(store.load_contacts()->empty());
}

Login login(std::uint8_t first, bool https, std::chrono::seconds idle) {
  Login made{{}, https, idle};
  made.token[0] = first;
  return made;
}

TEST_F(StoreTest, KeepsWhoIsSignedInAndNobodyElse) {
  using namespace std::chrono_literals;
  EXPECT_THAT(*open().load_logins(), IsEmpty());
  const std::vector<Login> two = {login(1, true, 0s), login(2, false, 29 * 24h)};
  ASSERT_TRUE(open().save_logins(two));
  EXPECT_EQ(*open().load_logins(), two);
  const std::vector<Login> one = {login(2, false, 3s)};
  ASSERT_TRUE(open().save_logins(one));
  EXPECT_EQ(*open().load_logins(), one);
  Store store = open();
  EXPECT_FALSE(store.save_logins({login(1, true, 0s), login(1, true, 1s)}));
  EXPECT_EQ(*store.load_logins(), one) << "what failed changed nothing";
}

TEST_F(StoreTest, ARestoredBackupRaisesGenerationAndRevisions) {
  const Holdings h = sample();
  {
    Store store = open();
    ASSERT_TRUE(store.save({}, h));
    ASSERT_TRUE(store.reserve_counters(100));
    ASSERT_TRUE(store.save_logins({{}}));
    ASSERT_TRUE(store.back_up(sqlite::Rotate::kShift));
  }
  damage();
  Store restored = open({});  // a clock that knows no year
  EXPECT_THAT(restored.recovery(), HasSubstr("restored the newest backup"));
  EXPECT_EQ(restored.load()->devices.devices(), h.devices.devices());
  EXPECT_GT(restored.load()->catalogue.revision(), h.catalogue.revision() + 1000);
  EXPECT_GT(restored.load()->devices.revision(), h.devices.revision() + 1000);
  EXPECT_EQ(restored.reserve_counters(1)->generation, 2U);
  EXPECT_THAT(*restored.load_logins(), IsEmpty()) << "somebody may have been signed out since";
}

TEST_F(StoreTest, OneBackupRestoredTwiceGivesNoNumberTwice) {
  {
    Store store = open();
    ASSERT_TRUE(store.save({}, sample()));
    ASSERT_TRUE(store.back_up(sqlite::Rotate::kShift));
  }
  const auto at = [&](Clock::time_point when) {
    damage();
    Store restored = open(when);
    const Holdings held = restored.load().value();
    return std::tuple(restored.reserve_counters(1)->generation, held.catalogue.revision(),
                      held.devices.revision());
  };
  const Clock::time_point day = std::chrono::sys_days{std::chrono::year{2026} / 11 / 28};
  const auto first = at(day);
  const auto second = at(day + 1min);
  EXPECT_GT(std::get<0>(second), std::get<0>(first));
  EXPECT_GT(std::get<1>(second), std::get<1>(first));
  EXPECT_GT(std::get<2>(second), std::get<2>(first));
}

TEST_F(StoreTest, ANewGenerationBeginsItsCountersAnew) {
  Store store = open();
  ASSERT_TRUE(store.reserve_counters(100));
  const auto raised = store.reserve_counters(10, 40).value();
  EXPECT_EQ(raised.generation, 40U);
  EXPECT_EQ(raised.first, 1U);
  const auto lower = store.reserve_counters(10, 7).value();
  EXPECT_EQ(lower.generation, 40U) << "it never falls";
  EXPECT_EQ(lower.first, 11U);
}

TEST(Generation, IsOfAClockThatCanBeRight) {
  using namespace std::chrono;
  const sys_days first = year{2026} / January / 1;
  EXPECT_EQ(generation_at({}), std::nullopt);
  EXPECT_EQ(generation_at(first - 1s), std::nullopt);
  EXPECT_EQ(generation_at(first + 90s), 1);
  EXPECT_EQ(generation_at(first + minutes{kMaxGeneration}), kMaxGeneration);
  EXPECT_EQ(generation_at(first + minutes{kMaxGeneration + 1}), std::nullopt);
}

TEST_F(StoreTest, ADamagedDatabaseWithoutBackupOpensToNobody) {
  std::ofstream(scratch / "box.sqlite") << std::string(8192, 'x');
  Store store = open();
  EXPECT_THAT(store.recovery(), HasSubstr("set up again"));
  EXPECT_TRUE(store.load()->devices.devices().empty());
  EXPECT_FALSE(store.load_owner()->set_up());
}

TEST_F(StoreTest, AnUnknownStateInTheFileMeansRevoked) {
  Store store = open();
  ASSERT_TRUE(store.save({}, sample()));
  ASSERT_TRUE(
      store.database().run_script("PRAGMA ignore_check_constraints=1; UPDATE device SET state='owner'"));
  EXPECT_EQ(store.load()->devices.find(laptop)->state, DeviceState::kRevoked);
}

// What a damaged row of settings must not do: hand out an id that somebody has.
TEST_F(StoreTest, LostNumbersGiveNoIdASecondTime) {
  for (const char* damage :
       {"DELETE FROM setting", "UPDATE setting SET value='x'", "UPDATE setting SET value=''",
        "UPDATE setting SET value='-7'", "UPDATE setting SET value='1'"}) {
    Scratch other;
    Store store = Store::open(other.path()).value();
    const Holdings before = sample();
    ASSERT_TRUE(store.save({}, before));
    ASSERT_TRUE(store.database().run_script(damage));
    Holdings after = *store.load();
    const auto loaded = after;
    EXPECT_EQ(after.devices.devices(), before.devices.devices()) << damage;
    const auto phone = after.devices.paired(identity(2), key(2), "phone").value();
    const auto sport = after.catalogue.apply(listing("Sport", "239.1.1.3", 5000)).value().id;
    EXPECT_NE(phone, laptop) << damage;
    EXPECT_TRUE(sport != news && sport != film) << damage;
    ASSERT_TRUE(store.save(loaded, after)) << damage;
    expect_same(*store.load(), after);
  }
}

// Rows that no version of this program wrote are passed over; what is beside them stays.
TEST_F(StoreTest, RowsThatMakeNoSenseAreNotChannelsOrDevices) {
  struct Row {
    const char* damage;
    std::size_t channels;
    std::size_t devices;
  };
  const Row rows[] = {
      {"UPDATE channel SET multicast_group='somewhere' WHERE name='Film'", 1, 1},
      {"UPDATE channel SET multicast_group=x'00ff' WHERE name='Film'", 1, 1},
      {"UPDATE channel SET position=0", 2, 1},
      {"INSERT INTO device_grant VALUES (1, 999)", 2, 1},
      {"PRAGMA foreign_keys=0; INSERT INTO device_grant VALUES (77, 1)", 2, 1},
      {"PRAGMA foreign_keys=0; INSERT INTO channel_attribute VALUES (77, 'a', 'b')", 2, 1},
      {"PRAGMA ignore_check_constraints=1; UPDATE device SET identity=x'01'", 2, 0},
  };
  for (const Row& row : rows) {
    Scratch other;
    Store store = Store::open(other.path()).value();
    ASSERT_TRUE(store.save({}, sample()));
    ASSERT_TRUE(store.database().run_script(row.damage)) << row.damage;
    const auto loaded = store.load();
    ASSERT_TRUE(loaded) << row.damage;
    EXPECT_EQ(loaded->catalogue.channels().size(), row.channels) << row.damage;
    EXPECT_EQ(loaded->devices.devices().size(), row.devices) << row.damage;
  }
}

TEST_F(StoreTest, TenThousandChannelsComeBackInOrder) {
  Store store = open();
  Holdings h;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    channels::Listing l = listing("c" + std::to_string(i), "239.0.0.1", 5000);
    l.flow.group = IpAddress::ip4(0xef000001 + i);
    (void)h.catalogue.apply(l).value();
  }
  ASSERT_TRUE(store.save({}, h));
  expect_same(*store.load(), h);
}

}  // namespace
}  // namespace hearthcast::store
