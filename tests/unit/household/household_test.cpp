#include "appliance/household/household.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "appliance/access/lan_link.hpp"
#include "tests/unit/household/home.hpp"

namespace hearthcast::household {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using access::DeviceState;
using access::testing_people::listing;
using testing::Contains;
using testing::HasSubstr;

class HouseholdTest : public testing::Test, protected testing_home::Home {
 protected:
  // The refusal's kind, or nothing.
  template <class T>
  static std::optional<Refused::Kind> kind(const Result<T>& result) {
    return result ? std::nullopt : std::optional(result.error().kind);
  }
  secure::OpenSslIdentity device = secure::make_identity();
};

TEST_F(HouseholdTest, IsSetUpOnceWithACodeThatSurvivesRestarts) {
  EXPECT_FALSE(household->is_set_up());
  const std::string code = household->setup_code();
  EXPECT_THAT(code, testing::MatchesRegex("[0-9A-Z]{4}-[0-9A-Z]{4}"));
  open();
  EXPECT_EQ(household->setup_code(), code);
  std::string sloppy;
  for (const char c : code) {
    sloppy += c == '-' ? std::string("  ") : std::string(1, static_cast<char>(std::tolower(c)));
  }
  EXPECT_TRUE(household->is_setup_code(sloppy));
  EXPECT_FALSE(household->is_setup_code(""));
  EXPECT_FALSE(household->is_setup_code(code.substr(1)));

  EXPECT_FALSE(household->is_password(""));
  ASSERT_TRUE(household->set_password("correct horse"));
  EXPECT_TRUE(household->is_set_up());
  EXPECT_FALSE(household->is_setup_code(code));
  open();
  EXPECT_TRUE(household->is_password("correct horse"));
  EXPECT_FALSE(household->is_password("wrong horse"));
  EXPECT_EQ(household->setup_code(), "");
  EXPECT_FALSE(household->is_setup_code(""));
}

TEST_F(HouseholdTest, PublishesEachChangeAfterItIsStored) {
  std::vector<Snapshot> published;
  household->on_change([&](const Snapshot& snapshot) { published.push_back(snapshot); });
  ASSERT_EQ(published.size(), 1U);
  const auto id = add_channel("One", "239.1.1.1");
  ASSERT_EQ(published.size(), 2U);
  EXPECT_TRUE(published[0].access->catalogue().channels().empty());  // a snapshot does not change afterwards
  EXPECT_EQ(published[1].access->catalogue().find(id)->name, "One");
  (void)add_channel("One", "239.1.1.1");
  EXPECT_EQ(published.size(), 2U);  // nothing changed
}

TEST_F(HouseholdTest, PairingMakesAPendingDevice) {
  ASSERT_TRUE(household->open_pairing(now));
  EXPECT_EQ(household->snapshot().pairing->locator, household->desk().invitation()->locator);
  const auto request = this->request(device);
  const std::string reply = household->pair(signalling::encode(request), now).value();
  const auto answer = std::get<signalling::PairingAnswer>(signalling::decode_pairing_reply(reply).value());
  EXPECT_EQ(answer.name, "Home");
  EXPECT_FALSE(household->snapshot().pairing.has_value());
  const auto* stored = household->access().devices().find(device.id());
  ASSERT_NE(stored, nullptr);
  EXPECT_EQ(stored->state, DeviceState::kPending);
  EXPECT_EQ(stored->name, "laptop");
  EXPECT_EQ(household->desk().newest()->device, stored->id);
  EXPECT_EQ(household->fingerprint(*stored),
            signalling::pairing_fingerprint(crypto, device.public_key(), box.public_key()));
  EXPECT_THAT(log.events, Contains("device_paired"));
  open();
  EXPECT_NE(household->access().devices().find(device.id()), nullptr);
}

TEST_F(HouseholdTest, ARepeatedPairingMessageDoesNotReviveARevokedDevice) {
  ASSERT_TRUE(household->open_pairing(now));
  const std::string message = signalling::encode(request(device));
  const std::string first = household->pair(message, now).value();
  const auto id = household->access().devices().find(device.id())->id;
  ASSERT_TRUE(household->change_device(id, {.name = {}, .state = DeviceState::kRevoked, .grants = {}}));
  EXPECT_EQ(household->pair(message, now).value(), first);
  EXPECT_EQ(household->access().devices().find(id)->state, DeviceState::kRevoked);
}

TEST_F(HouseholdTest, WhatIsNoPairingMessageIsRefusedAndCostsNoTry) {
  ASSERT_TRUE(household->open_pairing(now));
  EXPECT_EQ(kind(household->pair("", now)), Refused::Kind::kInvalid);
  EXPECT_EQ(kind(household->pair("{\"public_key\":5}", now)), Refused::Kind::kInvalid);
  EXPECT_EQ(household->desk().newest()->tries_left, 5);
}

TEST_F(HouseholdTest, FiveWrongSecretsCloseTheWindowForTheRendezvousToo) {
  ASSERT_TRUE(household->open_pairing(now));
  const auto wrong = signalling::make_pairing_request(crypto, random, device, "guesser", Buffer(32, 1));
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(household->pair(signalling::encode(wrong), now).value(), HasSubstr("error"));
  }
  EXPECT_FALSE(household->snapshot().pairing.has_value());
  EXPECT_EQ(household->access().devices().find(device.id()), nullptr);
  EXPECT_THAT(log.events, Contains("pairing_refused"));
}

TEST_F(HouseholdTest, ApprovesAndGrantsAllOrNothing) {
  const auto channel = add_channel("One", "239.1.1.1");
  const auto id = pair(device);
  const DeviceChange bad{
      .name = "renamed", .state = DeviceState::kApproved, .grants = access::Grants{false, {ChannelId{99}}}};
  EXPECT_EQ(kind(household->change_device(id, bad)), Refused::Kind::kInvalid);
  EXPECT_EQ(household->access().devices().find(id)->name, "laptop");
  EXPECT_EQ(household->access().devices().find(id)->state, DeviceState::kPending);

  DeviceChange good = bad;
  good.grants = access::Grants{false, {channel}};
  ASSERT_TRUE(household->change_device(id, good));
  EXPECT_TRUE(household->access().may_continue(device.id(), channel));
  open();
  EXPECT_TRUE(household->access().may_continue(device.id(), channel));
  EXPECT_EQ(kind(household->change_device(DeviceId{99}, good)), Refused::Kind::kNotFound);
  EXPECT_EQ(kind(household->change_device(id, {.name = " ", .state = {}, .grants = {}})),
            Refused::Kind::kInvalid);
}

TEST_F(HouseholdTest, HostsAtHomeAreForAnApprovedDeviceAndKept) {
  const auto id = pair(device);
  const HomeHosts hosts{*HomeHost::parse("192.168.1.50:80"), *HomeHost::parse("fd00::5")};
  DeviceChange change;
  change.home_hosts = hosts;
  ASSERT_TRUE(household->change_device(id, change));
  EXPECT_TRUE(household->access().home_hosts_of(device.id()).empty()) << "it waits for the owner";
  change.state = DeviceState::kApproved;
  change.home_hosts.reset();
  ASSERT_TRUE(household->change_device(id, change));
  EXPECT_EQ(household->access().home_hosts_of(device.id()), hosts);
  open();
  EXPECT_EQ(household->access().home_hosts_of(device.id()), hosts);
  DeviceChange revoke;
  revoke.state = DeviceState::kRevoked;
  ASSERT_TRUE(household->change_device(id, revoke));
  EXPECT_TRUE(household->access().home_hosts_of(device.id()).empty());
  DeviceChange many;
  for (std::size_t i = 0; i <= kMaxHomeHosts; ++i) {
    many.home_hosts.emplace(many.home_hosts.value_or(HomeHosts()))
        .push_back(*HomeHost::parse("192.168.1." + std::to_string(i)));
  }
  EXPECT_EQ(kind(household->change_device(id, many)), Refused::Kind::kInvalid);
  EXPECT_EQ(household->access().devices().find(id)->home_hosts, hosts);
  many.home_hosts->pop_back();
  EXPECT_TRUE(household->change_device(id, many));
}

TEST_F(HouseholdTest, ADeletedChannelLeavesTheGrants) {
  const auto channel = add_channel("One", "239.1.1.1");
  const auto id = pair(device);
  ASSERT_TRUE(household->change_device(
      id, {.name = {}, .state = DeviceState::kApproved, .grants = access::Grants{false, {channel}}}));
  ASSERT_TRUE(household->remove_channel(channel));
  EXPECT_TRUE(household->access().devices().find(id)->grants.channels.empty());
  EXPECT_FALSE(household->access().may_continue(device.id(), channel));
  EXPECT_EQ(kind(household->remove_channel(channel)), Refused::Kind::kNotFound);
  EXPECT_EQ(kind(household->rename_channel(channel, "x")), Refused::Kind::kNotFound);
}

TEST_F(HouseholdTest, RenamesAChannel) {
  const auto channel = add_channel("One", "239.1.1.1");
  ASSERT_TRUE(household->rename_channel(channel, "Eins"));
  EXPECT_EQ(household->access().catalogue().find(channel)->name, "Eins");
  EXPECT_EQ(kind(household->rename_channel(channel, "\n")), Refused::Kind::kInvalid);
}

TEST_F(HouseholdTest, AForgottenDeviceMustPairAgain) {
  const auto id = pair(device);
  ASSERT_TRUE(household->forget_device(id));
  EXPECT_EQ(household->access().devices().find(device.id()), nullptr);
  EXPECT_EQ(kind(household->forget_device(id)), Refused::Kind::kNotFound);
  EXPECT_NE(pair(device), id);
}

TEST_F(HouseholdTest, AFullDiskRefusesChangesWholeAndRecovers) {
  const auto id = pair(device);
  ASSERT_TRUE(household->open_pairing(now));
  const auto other = secure::make_identity();
  const std::string message = signalling::encode(request(other, "phone"));
  fill_disk();
  std::vector<channels::ImportLine> many;
  for (std::uint32_t i = 0; i < 500; ++i) {
    many.push_back(
        {i + 1, listing(std::string(100, 'n'), "239.1.1.1", static_cast<std::uint16_t>(5000 + i))});
  }
  EXPECT_EQ(kind(household->import(many)), Refused::Kind::kStorageFull);
  EXPECT_TRUE(household->access().catalogue().channels().empty());
  const auto refused_pair = household->pair(message, now);
  if (!refused_pair) {  // a small row may still fit into a page that is there
    EXPECT_EQ(refused_pair.error().kind, Refused::Kind::kStorageFull);
    EXPECT_EQ(household->access().devices().find(other.id()), nullptr);
  }
  free_disk();
  EXPECT_TRUE(household->pair(message, now));  // the window was not lost
  EXPECT_NE(household->access().devices().find(other.id()), nullptr);
  EXPECT_TRUE(household->import(many));
  EXPECT_TRUE(household->change_device(id, {.name = {}, .state = DeviceState::kApproved, .grants = {}}));
}

TEST_F(HouseholdTest, WindowsExpireByTheMonotonicClock) {
  ASSERT_TRUE(household->open_pairing(now));
  EXPECT_LE(household->next_deadline(), now + 10min);
  household->on_deadline(now + 10min);
  EXPECT_FALSE(household->snapshot().pairing.has_value());
  EXPECT_EQ(kind(household->close_pairing(1, now + 10min)), Refused::Kind::kNotFound);
}

TEST_F(HouseholdTest, BacksUpSoonAfterStartHourlyAndSoonAfterDevicesChanged) {
  const auto backup = [&](int n) { return sqlite::backup_path(scratch / "box.sqlite", n); };
  household->on_deadline(now);
  EXPECT_FALSE(fs::exists(backup(1)));
  EXPECT_LE(household->next_deadline(), now + 1min);
  household->on_deadline(now += 1min);
  EXPECT_TRUE(fs::exists(backup(1)));
  household->on_deadline(now += 1h);
  EXPECT_TRUE(fs::exists(backup(2)));

  const auto id = pair(device);
  ASSERT_TRUE(household->change_device(id, {.name = {}, .state = DeviceState::kRevoked, .grants = {}}));
  household->on_deadline(now);
  household->on_deadline(now += 1min);
  EXPECT_FALSE(fs::exists(backup(3)));  // the newest was brought up to date

  // What the damage costs: nothing. The revoked device stays revoked.
  household.reset();
  for (const char* suffix : {"", "-wal", "-shm"}) {
    fs::remove(scratch / (std::string("box.sqlite") + suffix));
  }
  open();
  EXPECT_EQ(household->access().devices().find(device.id())->state, DeviceState::kRevoked);
  EXPECT_THAT(log.events, Contains("database_recovered"));
}

TEST_F(HouseholdTest, ABackupThatFailsIsTriedAgainSoon) {
  household->on_deadline(now);
  household->on_deadline(now += 1min);
  const fs::path backups = scratch / "backups";
  fs::rename(backups, scratch / "elsewhere");
  std::ofstream(backups) << "in the way";
  const auto id = pair(device);
  ASSERT_TRUE(household->change_device(id, {.name = {}, .state = DeviceState::kRevoked, .grants = {}}));
  household->on_deadline(now);
  household->on_deadline(now += 5s);
  ASSERT_THAT(log.events, Contains("backup_failed"));
  EXPECT_GT(household->next_deadline(), now) << "it waits before it tries again";
  EXPECT_LE(household->next_deadline(), now + 1min);

  fs::remove(backups);
  fs::rename(scratch / "elsewhere", backups);
  household->on_deadline(now += 1min);
  household.reset();
  for (const char* suffix : {"", "-wal", "-shm"}) {
    fs::remove(scratch / (std::string("box.sqlite") + suffix));
  }
  open();
  const auto* kept = household->access().devices().find(device.id());
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(kept->state, DeviceState::kRevoked);
}

TEST_F(HouseholdTest, KeepsContactsAndCounters) {
  const auto id = pair(device);
  household->remember_contact(id, {1, 9, Endpoint::parse("198.51.100.1:4000")});
  const auto first = household->reserve_counters(10).value();
  open();
  EXPECT_EQ(household->contacts().value().at(id).counter, 9U);
  EXPECT_EQ(household->reserve_counters(10).value().first, first.first + 10);
}

TEST_F(HouseholdTest, ALanLinkIsMadeReplacedAndTakenAway) {
  const DeviceId laptop = pair(device);
  const auto holder = [&](const std::string& token) -> const access::Device* {
    const auto link = access::lan_link_of(crypto, token);
    return link ? household->access().devices().find_lan_link(*link) : nullptr;
  };
  const auto first = household->make_lan_link(laptop);
  ASSERT_TRUE(first);
  ASSERT_NE(holder(*first), nullptr);
  EXPECT_EQ(holder(*first)->id, laptop);
  open();  // a restart keeps it
  EXPECT_NE(holder(*first), nullptr);
  const auto second = household->make_lan_link(laptop);
  ASSERT_TRUE(second);
  EXPECT_NE(*first, *second);
  EXPECT_EQ(holder(*first), nullptr);
  EXPECT_NE(holder(*second), nullptr);
  ASSERT_TRUE(household->drop_lan_link(laptop));
  ASSERT_TRUE(household->drop_lan_link(laptop)) << "a second time there is nothing to take away";
  EXPECT_EQ(holder(*second), nullptr);
}

TEST_F(HouseholdTest, ALanLinkIsInNoFileAsItIs) {
  const auto token = household->make_lan_link(pair(device));
  ASSERT_TRUE(token);
  for (const auto& entry : fs::recursive_directory_iterator(scratch.path())) {
    if (entry.is_regular_file()) {
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string content(std::istreambuf_iterator<char>(file), {});
      EXPECT_EQ(content.find(*token), std::string::npos) << entry.path();
    }
  }
}

TEST_F(HouseholdTest, NobodyHasALanLinkWhoIsNotThere) {
  EXPECT_EQ(kind(household->make_lan_link(DeviceId{9})), Refused::Kind::kNotFound);
  EXPECT_EQ(kind(household->drop_lan_link(DeviceId{9})), Refused::Kind::kNotFound);
}

}  // namespace
}  // namespace hearthcast::household
