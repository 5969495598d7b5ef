#include "rendezvous-server/registry/allow_lists.hpp"

#include <gtest/gtest.h>

#include "tunnelmgr/secure/identity.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::rendezvous {
namespace {

class AllowListsTest : public testing::Test {
 protected:
  using Verdict = AllowLists::Verdict;
  AllowRecord record(std::uint64_t revision, std::vector<IdentityId> devices) {
    AllowRecord r;
    r.box = box.id();
    r.public_key.assign(box.public_key().begin(), box.public_key().end());
    r.allow = {std::move(devices), revision, {}};
    r.allow.signature = box.sign(signalling::allow_signature_input(r.allow));
    return r;
  }
  secure::OpenSslCrypto crypto;
  secure::OpenSslIdentity box = secure::make_identity();
  secure::OpenSslIdentity other = secure::make_identity();
  IdentityId device = secure::make_identity().id();
  AllowLists lists;
};

TEST_F(AllowListsTest, ListsReplaceEachOtherUpwards) {
  EXPECT_FALSE(lists.revision_of(box.id()));
  EXPECT_EQ(lists.update(crypto, record(5, {device})), Verdict::kAccepted);
  EXPECT_TRUE(lists.allows(box.id(), device));
  EXPECT_FALSE(lists.allows(other.id(), device));
  EXPECT_EQ(lists.update(crypto, record(5, {device})), Verdict::kUnchanged);
  EXPECT_EQ(lists.update(crypto, record(6, {})), Verdict::kAccepted);
  EXPECT_FALSE(lists.allows(box.id(), device));
}

TEST_F(AllowListsTest, AReplayedListRevivesNobody) {
  const AllowRecord old = record(5, {device});
  EXPECT_EQ(lists.update(crypto, record(6, {})), Verdict::kAccepted);
  EXPECT_EQ(lists.update(crypto, old), Verdict::kOld);
  EXPECT_EQ(lists.update(crypto, record(6, {device})), Verdict::kOld);
  EXPECT_FALSE(lists.allows(box.id(), device));
}

TEST_F(AllowListsTest, OnlyTheBoxItselfSigns) {
  AllowRecord forged = record(1, {device});
  forged.allow.devices.push_back(other.id());
  EXPECT_EQ(lists.update(crypto, forged), Verdict::kBadSignature);
  AllowRecord foreign = record(1, {device});
  foreign.public_key.assign(other.public_key().begin(), other.public_key().end());
  foreign.allow.signature = other.sign(signalling::allow_signature_input(foreign.allow));
  EXPECT_EQ(lists.update(crypto, foreign), Verdict::kBadSignature);
  EXPECT_FALSE(lists.revision_of(box.id()));
}

TEST_F(AllowListsTest, ADamagedRecordIsNotLoaded) {
  AllowRecord damaged = record(1, {device});
  damaged.allow.signature[8] ^= 1;
  EXPECT_FALSE(lists.load(crypto, damaged));
  EXPECT_TRUE(lists.load(crypto, record(1, {device})));
  EXPECT_EQ(lists.size(), 1U);
}

}  // namespace
}  // namespace hearthcast::rendezvous
