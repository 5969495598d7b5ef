#include "appliance/proxy/group_merge.hpp"

#include <gmock/gmock.h>

#include <random>
#include <vector>

namespace hearthcast::proxy {
namespace {

IpAddress source(std::uint32_t n) { return IpAddress::ip4(0xC0000200U + n); }
SourceFilter include(AddressSet sources) { return {FilterMode::kInclude, std::move(sources)}; }
SourceFilter exclude(AddressSet sources) { return {FilterMode::kExclude, std::move(sources)}; }
ListenerId lan(std::int64_t n) { return DownstreamId(InterfaceIndex{n}); }
ListenerId tunnel(std::int64_t n) { return DownstreamId(PeerId{n}); }

TEST(Row04_Merge, NobodyWantsNothing) {
  GroupMerge merge;
  EXPECT_TRUE(merge.empty());
  EXPECT_TRUE(merge.merged().wants_nothing());
  EXPECT_FALSE(merge.set(lan(1), {})) << "nothing before, nothing now";
}

TEST(Row04_Merge, IncludesAreUnited) {
  GroupMerge merge;
  EXPECT_TRUE(merge.set(lan(1), include({source(1), source(2)})));
  EXPECT_TRUE(merge.set(tunnel(1), include({source(2), source(3)})));
  EXPECT_EQ(merge.merged(), include({source(1), source(2), source(3)}));
}

TEST(Row04_Merge, AnExcludeTakesOutOnlyWhatNobodyElseWants) {
  GroupMerge merge;
  merge.set(lan(1), exclude({source(1), source(2), source(3)}));
  merge.set(lan(2), exclude({source(2), source(3), source(4)}));
  EXPECT_EQ(merge.merged(), exclude({source(2), source(3)}));
  merge.set(tunnel(9), include({source(3)}));
  EXPECT_EQ(merge.merged(), exclude({source(2)}));
  merge.set(lan(2), {});
  EXPECT_EQ(merge.merged(), exclude({source(1), source(2)}));
  merge.set(lan(1), {});
  EXPECT_EQ(merge.merged(), include({source(3)}));
}

TEST(Row05_Change, SayingTheSameAgainIsNone) {
  GroupMerge merge;
  EXPECT_TRUE(merge.set(lan(1), include({source(1)})));
  EXPECT_FALSE(merge.set(lan(1), include({source(1)})));
  EXPECT_TRUE(merge.set(lan(1), exclude({source(1)})));
  EXPECT_TRUE(merge.set(lan(1), {}));
  EXPECT_FALSE(merge.set(lan(1), {}));
}

TEST(Row04_Merge, CountsLikeTheMergeOfAll) {
  std::mt19937 random(4605);
  const auto number = [&](unsigned below) { return static_cast<std::uint32_t>(random() % below); };
  GroupMerge counted;
  std::map<ListenerId, SourceFilter> all;
  for (int step = 0; step < 20'000; ++step) {
    const std::uint32_t n = number(8);
    const ListenerId who = n == 0 ? ListenerId() : n < 4 ? lan(n) : tunnel(n);
    SourceFilter filter;
    filter.mode = number(3) == 0 ? FilterMode::kExclude : FilterMode::kInclude;
    for (std::uint32_t i = number(5); i > 0; --i) {
      filter.sources.insert(source(number(6)));
    }
    counted.set(who, filter);
    if (filter.wants_nothing()) {
      all.erase(who);
    } else {
      all[who] = filter;
    }
    std::vector<SourceFilter> filters;
    filters.reserve(all.size());
    for (const auto& [listener, wanted] : all) {
      filters.push_back(wanted);
    }
    ASSERT_EQ(counted.merged(), merge(filters)) << step;
    ASSERT_EQ(counted.listeners(), all);
  }
}

}  // namespace
}  // namespace hearthcast::proxy
