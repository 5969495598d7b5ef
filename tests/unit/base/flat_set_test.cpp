#include "tunnelmgr/base/flat_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>

namespace hearthcast {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(FlatSet, IsInOrderAndHoldsEachValueOnce) {
  FlatSet<int> set{3, 1, 2, 3, 1};
  EXPECT_THAT(set, ElementsAre(1, 2, 3));
  EXPECT_EQ(set.size(), 3U);
  EXPECT_FALSE(set.empty());
  EXPECT_EQ(set, (FlatSet<int>{1, 2, 3}));
  EXPECT_NE(set, (FlatSet<int>{1, 2}));
  EXPECT_TRUE(FlatSet<int>().empty());
}

TEST(FlatSet, InsertSaysWhereAndWhetherItIsNew) {
  FlatSet<std::string> set;
  EXPECT_TRUE(set.insert("b").second);
  EXPECT_TRUE(set.insert("a").second);
  const auto [at, fresh] = set.insert("b");
  EXPECT_FALSE(fresh);
  EXPECT_EQ(*at, "b");
  EXPECT_EQ(at - set.begin(), 1);
  EXPECT_THAT(set, ElementsAre("a", "b"));
}

TEST(FlatSet, AHintIsOnlyAHint) {
  FlatSet<int> set{1, 5};
  EXPECT_EQ(*set.insert(set.end(), 3), 3);
  EXPECT_EQ(*set.insert(set.begin(), 5), 5);
  EXPECT_THAT(set, ElementsAre(1, 3, 5));
  FlatSet<int> rest;
  std::ranges::set_difference(set, FlatSet<int>{3}, std::inserter(rest, rest.end()));
  EXPECT_THAT(rest, ElementsAre(1, 5));
}

TEST(FlatSet, RangesAreMerged) {
  FlatSet<int> set{2, 4};
  const std::set<int> more{1, 2, 3};
  set.insert(more.begin(), more.end());
  EXPECT_THAT(set, ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(FlatSet<int>(more.begin(), more.end()), ElementsAre(1, 2, 3));
}

TEST(FlatSet, ErasesByValueAndByPlace) {
  FlatSet<int> set{1, 2, 3};
  EXPECT_EQ(set.erase(2), 1U);
  EXPECT_EQ(set.erase(2), 0U);
  EXPECT_EQ(*set.erase(set.begin()), 3);
  EXPECT_THAT(set, ElementsAre(3));
  set.clear();
  EXPECT_THAT(set, IsEmpty());
}

TEST(FlatSet, FindsOnlyWhatIsThere) {
  const FlatSet<int> set{10, 20};
  EXPECT_TRUE(set.contains(10));
  EXPECT_FALSE(set.contains(15));
  EXPECT_FALSE(set.contains(30));
  EXPECT_EQ(set.find(15), set.end());
  EXPECT_EQ(*set.find(20), 20);
  EXPECT_FALSE(FlatSet<int>().contains(1));
}

TEST(FlatSet, DoesAsAnOrderedSetDoes) {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same numbers each time
  FlatSet<unsigned> flat;
  std::set<unsigned> tree;
  for (int step = 0; step < 5000; ++step) {
    const auto value = static_cast<unsigned>(random() % 64);
    if (random() % 2 == 0) {
      EXPECT_EQ(flat.insert(value).second, tree.insert(value).second);
    } else {
      EXPECT_EQ(flat.erase(value), tree.erase(value));
    }
    ASSERT_EQ(flat.size(), tree.size());
    ASSERT_EQ(flat.contains(value), tree.contains(value));
  }
  EXPECT_TRUE(std::ranges::equal(flat, tree));
}

}  // namespace
}  // namespace hearthcast
