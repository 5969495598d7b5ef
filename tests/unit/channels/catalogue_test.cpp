#include "appliance/channels/catalogue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hearthcast::channels {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Listing listing(std::string name, const char* group, std::uint16_t port, const char* source = "") {
  Listing l;
  if (*source != '\0') {
    l.flow.source = IpAddress::parse(source).value();
  }
  l.flow.group = IpAddress::parse(group).value();
  l.flow.port = port;
  l.name = std::move(name);
  return l;
}

std::vector<std::string> names(const std::vector<const Channel*>& channels) {
  std::vector<std::string> out;
  out.reserve(channels.size());
  for (const Channel* c : channels) {
    out.push_back(c->name);
  }
  return out;
}

class CatalogueTest : public testing::Test {
 protected:
  ChannelId add(const Listing& l) { return catalogue.apply(l).value().id; }
  Catalogue catalogue;
};

TEST_F(CatalogueTest, IdentityIsTheAddressNotTheName) {
  const auto one = add(listing("News", "239.1.1.1", 5000));
  const auto same_name = add(listing("News", "239.1.1.1", 5001));
  const auto with_source = add(listing("News", "239.1.1.1", 5000, "192.0.2.1"));
  EXPECT_NE(one, same_name);
  EXPECT_NE(one, with_source);

  const auto renamed = catalogue.apply(listing("News HD", "239.1.1.1", 5000)).value();
  EXPECT_EQ(renamed.applied, Applied::kUpdated);
  EXPECT_EQ(renamed.id, one);
  EXPECT_EQ(catalogue.channels().size(), 3U);
}

TEST_F(CatalogueTest, RevisionGrowsWithChangesOnly) {
  const auto start = catalogue.revision();
  EXPECT_GT(start, 0U);
  const auto id = add(listing("One", "239.1.1.1", 5000));
  EXPECT_EQ(catalogue.revision(), start + 1);
  EXPECT_EQ(catalogue.apply(listing("One", "239.1.1.1", 5000)).value().applied, Applied::kUnchanged);
  EXPECT_TRUE(catalogue.rename(id, "One"));
  EXPECT_FALSE(catalogue.apply(listing("Bad", "10.0.0.1", 5000)).has_value());
  EXPECT_EQ(catalogue.revision(), start + 1);
  EXPECT_TRUE(catalogue.rename(id, "Eins"));
  EXPECT_TRUE(catalogue.remove(id));
  EXPECT_EQ(catalogue.revision(), start + 3);
}

TEST_F(CatalogueTest, AnUpdateKeepsThePlace) {
  add(listing("A", "239.1.1.1", 1));
  add(listing("B", "239.1.1.2", 1));
  add(listing("C", "239.1.1.3", 1));
  Listing changed = listing("B2", "239.1.1.2", 1);
  changed.rtp = true;
  changed.attributes["group-title"] = "News";
  (void)catalogue.apply(changed).value();
  EXPECT_EQ(catalogue.channels()[1].name, "B2");
  EXPECT_TRUE(catalogue.channels()[1].rtp);
  EXPECT_EQ(catalogue.channels()[1].attributes.at("group-title"), "News");
}

TEST_F(CatalogueTest, IdsAreNeverReused) {
  const auto first = add(listing("A", "239.1.1.1", 1));
  EXPECT_TRUE(catalogue.remove(first));
  const auto again = add(listing("A", "239.1.1.1", 1));
  EXPECT_NE(first, again);
  // Nor after a restart, even when the newest channel had been deleted before it.
  EXPECT_TRUE(catalogue.remove(again));
  Catalogue reloaded(catalogue.channels(), catalogue.revision(), catalogue.next_id());
  EXPECT_GT(reloaded.apply(listing("A", "239.1.1.1", 1)).value().id, again);
}

TEST_F(CatalogueTest, FindsWhatAReportMeans) {
  add(listing("any", "239.1.1.1", 5000));
  add(listing("second port", "239.1.1.1", 5002));
  add(listing("ssm", "239.1.1.1", 5000, "192.0.2.1"));
  add(listing("v6", "ff3e::1", 5000, "2001:db8::1"));
  const auto group = *IpAddress::parse("239.1.1.1");
  EXPECT_THAT(names(catalogue.matching(std::nullopt, group)), ElementsAre("any", "second port", "ssm"));
  EXPECT_THAT(names(catalogue.matching(IpAddress::parse("192.0.2.1"), group)), ElementsAre("ssm"));
  EXPECT_THAT(names(catalogue.matching(IpAddress::parse("192.0.2.2"), group)), IsEmpty());
  EXPECT_THAT(names(catalogue.matching(std::nullopt, *IpAddress::parse("239.1.1.9"))), IsEmpty());
  EXPECT_THAT(names(catalogue.matching(IpAddress::parse("2001:db8::1"), *IpAddress::parse("ff3e::1"))),
              ElementsAre("v6"));
}

TEST_F(CatalogueTest, FindsTheRightOnesAfterARemoval) {
  const auto a = add(listing("A", "239.1.1.1", 1));
  const auto b = add(listing("B", "239.1.1.2", 1));
  EXPECT_TRUE(catalogue.remove(a));
  EXPECT_FALSE(catalogue.remove(a));
  EXPECT_EQ(catalogue.find(a), nullptr);
  EXPECT_EQ(catalogue.find(b)->name, "B");
  EXPECT_THAT(catalogue.matching(std::nullopt, *IpAddress::parse("239.1.1.1")), IsEmpty());
  EXPECT_EQ(catalogue.find(FlowKey{std::nullopt, *IpAddress::parse("239.1.1.2"), 1})->id, b);
}

TEST_F(CatalogueTest, RenameWantsAChannelAndAName) {
  const auto a = add(listing("A", "239.1.1.1", 1));
  EXPECT_FALSE(catalogue.rename(a, "  "));
  EXPECT_FALSE(catalogue.rename(ChannelId{99}, "B"));
  EXPECT_EQ(catalogue.find(a)->name, "A");
}

TEST_F(CatalogueTest, ACopyIsASnapshot) {
  const auto a = add(listing("A", "239.1.1.1", 1));
  const Catalogue snapshot = catalogue;
  EXPECT_TRUE(catalogue.remove(a));
  ASSERT_NE(snapshot.find(a), nullptr);
  EXPECT_EQ(snapshot.find(a)->name, "A");
}

TEST_F(CatalogueTest, IsBounded) {
  for (std::size_t i = 0; i < kMaxChannels; ++i) {
    Listing l = listing("c", "239.0.0.1", 1);
    l.flow.group = IpAddress::ip4(static_cast<std::uint32_t>(0xef000001 + i));
    (void)catalogue.apply(l).value();
  }
  const auto one_more = catalogue.apply(listing("c", "239.200.0.1", 1));
  ASSERT_FALSE(one_more);
  EXPECT_THAT(one_more.error().text, HasSubstr("catalogue is full"));
  // A known channel can still be changed.
  EXPECT_EQ(catalogue.apply(listing("d", "239.0.0.1", 1)).value().applied, Applied::kUpdated);
}

}  // namespace
}  // namespace hearthcast::channels
