#include "rendezvous-server/registry/directory.hpp"

#include <gmock/gmock.h>

namespace hearthcast::rendezvous {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::int64_t kNow = 1'800'000'000;

IdentityId id_of(std::uint8_t octet) {
  IdentityId id;
  id.digest.fill(octet);
  return id;
}

Sha256 hash_of(std::uint8_t octet) { return id_of(octet).digest; }

class DirectoryTest : public testing::Test {
 protected:
  // As an operator's change is: it succeeds, and what is returned would make a second directory the same.
  void keep(Result<Change, Failure> change) {
    ASSERT_TRUE(change) << change.error().text;
    keep(*change);
  }
  void keep(const Change& change) {
    for (const auto& box : change.boxes_gone) {
      std::erase_if(stored.boxes, [&](const auto& r) { return r.box == box; });
    }
    for (const auto& owner : change.owners_gone) {
      std::erase_if(stored.owners, [&](const auto& r) { return r.id == owner; });
    }
    for (const auto& token : change.tokens_gone) {
      std::erase_if(stored.tokens, [&](const auto& r) { return r.id == token; });
    }
    for (const auto& box : change.boxes) {
      std::erase_if(stored.boxes, [&](const auto& r) { return r.box == box.box; });
      stored.boxes.push_back(box);
    }
    for (const auto& token : change.tokens) {
      std::erase_if(stored.tokens, [&](const auto& r) { return r.id == token.id; });
      stored.tokens.push_back(token);
    }
    stored.owners.insert(stored.owners.end(), change.owners.begin(), change.owners.end());
  }
  void TearDown() override {
    Directory again;
    again.load(stored);
    EXPECT_EQ(again.boxes(), directory.boxes());
    EXPECT_EQ(again.owners(), directory.owners());
    EXPECT_EQ(again.tokens(), directory.tokens());
  }
  OwnerId add_owner(const std::string& name) {
    auto change = directory.add_owner(name, kNow);
    const OwnerId id = change->owners.front().id;
    keep(std::move(change));
    return id;
  }
  TokenId add_token(std::uint8_t secret, std::optional<std::int64_t> uses = {},
                    std::optional<std::int64_t> expires = {}, std::optional<OwnerId> owner = {}) {
    TokenRecord token;
    token.hash = hash_of(secret);
    token.created_at = kNow;
    token.uses_left = uses;
    token.expires_at = expires;
    token.owner = owner;
    auto change = directory.add_token(token);
    const TokenId id = change->tokens.front().id;
    keep(std::move(change));
    return id;
  }
  static std::string why(const Result<Change, Failure>& change) { return change ? "" : change.error().text; }

  Directory directory;
  Change stored;
};

TEST_F(DirectoryTest, ATokenLetsInAsManyBoxesAsItHasUses) {
  add_token(7, 2);
  keep(directory.enrol(id_of(1), hash_of(7), kNow + 5));
  keep(directory.enrol(id_of(2), hash_of(7), kNow + 6));
  EXPECT_THAT(why(directory.enrol(id_of(3), hash_of(7), kNow + 7)), HasSubstr("used up"));
  EXPECT_EQ(directory.find(id_of(1))->enrolled_at, kNow + 5);
  EXPECT_EQ(directory.find(id_of(3)), nullptr);
}

TEST_F(DirectoryTest, ATokenWithoutLimitsLetsInAny) {
  add_token(7);
  for (std::uint8_t box = 1; box < 50; ++box) {
    keep(directory.enrol(id_of(box), hash_of(7), kNow + box * 100'000'000LL));
  }
  EXPECT_THAT(directory.boxes(), SizeIs(49));
}

TEST_F(DirectoryTest, AnUnknownOrRevokedTokenLetsInNobody) {
  const TokenId id = add_token(7);
  EXPECT_THAT(why(directory.enrol(id_of(1), hash_of(8), kNow)), HasSubstr("not known"));
  keep(directory.revoke_token(id));
  EXPECT_THAT(why(directory.enrol(id_of(1), hash_of(7), kNow)), HasSubstr("not known"));
  EXPECT_THAT(why(directory.revoke_token(id)), HasSubstr("there is no token 1"));
  EXPECT_THAT(directory.boxes(), IsEmpty());
}

TEST_F(DirectoryTest, AnExpiredTokenLetsInNobodyAndNeitherDoesAClockThatWasSetBack) {
  add_token(7, {}, kNow + 100);
  EXPECT_THAT(why(directory.enrol(id_of(1), hash_of(7), kNow + 100)), HasSubstr("expired"));
  EXPECT_THAT(why(directory.enrol(id_of(1), hash_of(7), 30)), HasSubstr("clock"));
  EXPECT_THAT(directory.boxes(), IsEmpty());
  keep(directory.enrol(id_of(1), hash_of(7), kNow + 99));
}

TEST_F(DirectoryTest, ATokensBoxesAreItsOwners) {
  const OwnerId owner = add_owner("Household");
  add_token(7, 1, {}, owner);
  keep(directory.enrol(id_of(1), hash_of(7), kNow));
  EXPECT_EQ(directory.find(id_of(1))->owner, owner);
}

TEST_F(DirectoryTest, MeaninglessTokensAreRefused) {
  TokenRecord token;
  token.created_at = kNow;
  token.expires_at = kNow;
  EXPECT_THAT(why(directory.add_token(token)), HasSubstr("expired already"));
  token.expires_at.reset();
  token.uses_left = 0;
  EXPECT_THAT(why(directory.add_token(token)), HasSubstr("at least one use"));
  token.uses_left = 1;
  token.note = "two\nlines";
  EXPECT_THAT(why(directory.add_token(token)), HasSubstr("note"));
  EXPECT_THAT(directory.tokens(), IsEmpty());
}

TEST_F(DirectoryTest, ABoxNeedsNoOwner) {
  keep(directory.enrol(id_of(1), kNow));
  EXPECT_FALSE(directory.find(id_of(1))->owner);
  EXPECT_FALSE(directory.find(id_of(1))->closed);
}

TEST_F(DirectoryTest, BoxesAreMovedBetweenOwnersAndOutlastThem) {
  const OwnerId household = add_owner("Household");
  const OwnerId bert = add_owner("Bert");
  keep(directory.enrol(id_of(1), kNow));
  keep(directory.enrol(id_of(2), kNow));
  keep(directory.move_box(id_of(1), household));
  keep(directory.move_box(id_of(2), bert));
  add_token(7, {}, {}, household);
  keep(directory.move_box(id_of(1), bert));
  EXPECT_EQ(directory.find(id_of(1))->owner, bert);
  keep(directory.remove_owner(bert));
  EXPECT_FALSE(directory.find(id_of(1))->owner);
  EXPECT_FALSE(directory.find(id_of(2))->owner);
  keep(directory.remove_owner(household));
  EXPECT_FALSE(directory.tokens().begin()->second.owner);
  EXPECT_THAT(why(directory.remove_owner(household)), HasSubstr("no such owner"));
  EXPECT_THAT(why(directory.move_box(id_of(9), {})), HasSubstr("no box 090909090909"));
}

TEST_F(DirectoryTest, AnOwnersNumberIsNotGivenAgainWhileTheProgramRuns) {
  const OwnerId first = add_owner("Household");
  keep(directory.remove_owner(first));
  EXPECT_NE(add_owner("Household"), first);
}

TEST_F(DirectoryTest, NamesAreOfOneOnlyAndPrintable) {
  add_owner("Household");
  EXPECT_THAT(why(directory.add_owner("Household", kNow)), HasSubstr("already"));
  EXPECT_THAT(why(directory.add_owner("", kNow)), HasSubstr("1 to 64"));
  EXPECT_THAT(why(directory.add_owner("a\x1b[2J", kNow)), HasSubstr("control"));
  keep(directory.enrol(id_of(1), kNow));
  keep(directory.enrol(id_of(2), kNow));
  keep(directory.name_box(id_of(1), "Attic"));
  EXPECT_THAT(why(directory.name_box(id_of(2), "Attic")), HasSubstr("another box"));
  EXPECT_THAT(why(directory.name_box(id_of(2), "a\nb")), HasSubstr("control"));
  keep(directory.name_box(id_of(1), "Attic"));
  keep(directory.name_box(id_of(1), ""));
  keep(directory.name_box(id_of(2), "Attic"));
  EXPECT_THAT(why(directory.name_box(id_of(3), "Cellar")), HasSubstr("box list"));
}

TEST_F(DirectoryTest, BoxesAreFoundByNameByTheirFirstDigitsAndWhole) {
  keep(directory.enrol(id_of(0xab), kNow));
  IdentityId twin = id_of(0xab);
  twin.digest[31] = 1;
  keep(directory.enrol(twin, kNow));
  keep(directory.name_box(twin, "abcdef"));
  EXPECT_EQ(*directory.box_called("abcdef"), twin);
  EXPECT_EQ(*directory.box_called(id_of(0xab).to_string()), id_of(0xab));
  EXPECT_EQ(*directory.box_called(id_of(0x55).to_string()), id_of(0x55)) << "a whole id need not be known";
  EXPECT_THAT(directory.box_called("ababab").error().text, HasSubstr("more than one"));
  EXPECT_EQ(*directory.box_called(twin.to_string().substr(0, 63) + "1"), twin);
  for (const char* text : {"", "ab", "ababa", "cdcdcd", "Attic"}) {
    EXPECT_THAT(directory.box_called(text).error().text, HasSubstr("six digits")) << text;
  }
}

TEST_F(DirectoryTest, ABoxIsClosedWithAReasonAndOpenedAgain) {
  keep(directory.enrol(id_of(1), kNow));
  keep(directory.close_box(id_of(1), "unpaid", kNow));
  EXPECT_EQ(directory.find(id_of(1))->closed, "unpaid");
  EXPECT_EQ(directory.closed(), 1U);
  keep(directory.open_box(id_of(1)));
  EXPECT_EQ(directory.closed(), 0U);
  keep(directory.close_box(id_of(2), "a nuisance elsewhere", kNow));
  EXPECT_EQ(directory.find(id_of(2))->closed, "a nuisance elsewhere") << "before it was ever here";
  for (const std::string& reason :
       {std::string(), std::string(201, 'x'), std::string("a\nb"), std::string("\x7f")}) {
    EXPECT_THAT(why(directory.close_box(id_of(1), reason, kNow)), HasSubstr("1 to 200"));
  }
  EXPECT_FALSE(directory.find(id_of(1))->closed);
  EXPECT_THAT(why(directory.open_box(id_of(3))), HasSubstr("enrolled"));
}

TEST_F(DirectoryTest, AForgottenBoxIsAStranger) {
  keep(directory.enrol(id_of(1), kNow));
  keep(directory.forget_box(id_of(1)));
  EXPECT_EQ(directory.find(id_of(1)), nullptr);
  EXPECT_THAT(why(directory.forget_box(id_of(1))), HasSubstr("enrolled"));
}

}  // namespace
}  // namespace hearthcast::rendezvous
