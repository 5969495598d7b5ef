#include "rendezvous-server/registry/registry.hpp"

#include <gtest/gtest.h>

namespace hearthcast::rendezvous {
namespace {

using namespace std::chrono_literals;
using signalling::Role;
const Time t0 = Time{} + 1h;

Session session_of(std::uint64_t id, std::uint8_t identity, Role role = Role::kBox) {
  Session session;
  session.id = {id};
  session.role = role;
  session.identity.digest.fill(identity);
  session.presence_username = "user" + std::to_string(id);
  return session;
}

TEST(RegistryTest, FindsByNumberIdentityAndUsername) {
  Registry registry;
  EXPECT_FALSE(registry.join(session_of(1, 7)));
  EXPECT_FALSE(registry.join(session_of(2, 8, Role::kDevice)));
  ASSERT_NE(registry.find({1}), nullptr);
  EXPECT_EQ(registry.find_box(registry.find({1})->identity)->id, SessionId{1});
  EXPECT_EQ(registry.find_box(registry.find({2})->identity), nullptr);  // a device is no box
  EXPECT_EQ(registry.find_device(registry.find({2})->identity)->id, SessionId{2});
  EXPECT_EQ(registry.find_device(registry.find({1})->identity), nullptr);
  EXPECT_EQ(registry.find_by_username("user2")->id, SessionId{2});
  EXPECT_EQ(registry.boxes(), 1U);
  EXPECT_EQ(registry.devices(), 1U);
}

TEST(RegistryTest, TheSameIdentityReplacesWithinItsRoleOnly) {
  Registry registry;
  (void)registry.join(session_of(1, 7));
  EXPECT_FALSE(registry.join(session_of(2, 7, Role::kDevice)));
  EXPECT_EQ(registry.join(session_of(3, 7)), SessionId{1});
  EXPECT_EQ(registry.find({1}), nullptr);
  EXPECT_EQ(registry.find_by_username("user1"), nullptr);
  EXPECT_NE(registry.find({2}), nullptr);
  registry.leave({1});  // the replaced connection's end takes nothing from its heir
  EXPECT_EQ(registry.find_box(session_of(3, 7).identity)->id, SessionId{3});
}

TEST(RegistryTest, LeavingFreesAllNames) {
  Registry registry;
  (void)registry.join(session_of(1, 7));
  ASSERT_TRUE(registry.open_window(*registry.find({1}), "ABCD", t0 + 10min, t0));
  registry.leave({1});
  EXPECT_EQ(registry.find_by_locator("ABCD", t0), nullptr);
  EXPECT_EQ(registry.find_by_username("user1"), nullptr);
  EXPECT_EQ(registry.boxes(), 0U);
  registry.leave({1});
}

TEST(RegistryTest, ALocatorHasOneHolderAndAnEnd) {
  Registry registry;
  (void)registry.join(session_of(1, 7));
  (void)registry.join(session_of(2, 8));
  Session& first = *registry.find({1});
  Session& second = *registry.find({2});
  ASSERT_TRUE(registry.open_window(first, "ABCD", t0 + 10min, t0));
  EXPECT_TRUE(registry.open_window(first, "ABCD", t0 + 11min, t0));
  EXPECT_FALSE(registry.open_window(second, "ABCD", t0 + 10min, t0));
  EXPECT_EQ(registry.find_by_locator("ABCD", t0 + 10min), &first);
  EXPECT_EQ(registry.find_by_locator("ABCD", t0 + 11min), nullptr);
  EXPECT_TRUE(registry.open_window(second, "ABCD", t0 + 30min, t0 + 12min));
  EXPECT_EQ(registry.find_by_locator("ABCD", t0 + 12min), &second);
  registry.close_window(first);  // its window is long over: it takes nothing from the new holder
  EXPECT_EQ(registry.find_by_locator("ABCD", t0 + 12min), &second);
  registry.close_window(second);
  EXPECT_EQ(registry.find_by_locator("ABCD", t0 + 12min), nullptr);
}

TEST(RegistryTest, AWindowWithoutLocatorIsFoundByIdentityOnly) {
  Registry registry;
  (void)registry.join(session_of(1, 7));
  ASSERT_TRUE(registry.open_window(*registry.find({1}), "", t0 + 10min, t0));
  EXPECT_EQ(registry.find_by_locator("", t0), nullptr);
  EXPECT_GT(registry.find({1})->window_until, t0);
}

}  // namespace
}  // namespace hearthcast::rendezvous
