#include "tunnelmgr/base/source_filter.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace hearthcast {
namespace {

IpAddress source(int number) { return IpAddress::ip4(0xc0000200u + static_cast<std::uint32_t>(number)); }

SourceFilter include(std::initializer_list<int> numbers) {
  SourceFilter filter;
  for (const int number : numbers) {
    filter.sources.insert(source(number));
  }
  return filter;
}

SourceFilter exclude(std::initializer_list<int> numbers) {
  SourceFilter filter = include(numbers);
  filter.mode = FilterMode::kExclude;
  return filter;
}

SourceFilter merged(std::vector<SourceFilter> filters) { return merge(filters); }

TEST(SourceFilter, WantsNothingOnlyAsIncludeOfNothing) {
  EXPECT_TRUE(SourceFilter{}.wants_nothing());
  EXPECT_FALSE(include({1}).wants_nothing());
  EXPECT_FALSE(SourceFilter::any_source().wants_nothing());
}

TEST(SourceFilter, AdmitsWhatItIncludesAndWhatItDoesNotExclude) {
  EXPECT_TRUE(include({1}).admits(source(1)));
  EXPECT_FALSE(include({1}).admits(source(2)));
  EXPECT_FALSE(exclude({1}).admits(source(1)));
  EXPECT_TRUE(exclude({1}).admits(source(2)));
}

TEST(SourceFilter, IsReadable) {
  EXPECT_EQ(include({1, 2}).to_string(), "INCLUDE {192.0.2.1, 192.0.2.2}");
  EXPECT_EQ(SourceFilter::any_source().to_string(), "EXCLUDE {}");
}

TEST(Merge, OfNothingWantsNothing) { EXPECT_TRUE(merged({}).wants_nothing()); }

TEST(Merge, OfIncludesIsTheirUnion) {
  EXPECT_EQ(merged({include({1, 2}), include({2, 3})}), include({1, 2, 3}));
}

TEST(Merge, OfExcludesIsTheirIntersection) {
  EXPECT_EQ(merged({exclude({1, 2}), exclude({2, 3})}), exclude({2}));
}

// The example of RFC 3376 section 3.2: m with EXCLUDE {a,b,c,d}, EXCLUDE {b,c,d,e}, INCLUDE {d,e,f}.
TEST(Merge, OfBothExcludesWhatNobodyIncludes) {
  EXPECT_EQ(merged({exclude({1, 2, 3, 4}), exclude({2, 3, 4, 5}), include({4, 5, 6})}), exclude({2, 3}));
}

TEST(Merge, OfAnySourceWithAnythingIsAnySource) {
  EXPECT_EQ(merged({SourceFilter::any_source(), exclude({1}), include({2})}), SourceFilter::any_source());
}

// Whatever the lists are, merging admits a source exactly when one of them does.
TEST(Merge, AdmitsWhatAnyAdmits) {
  for (unsigned bits = 0; bits < 1u << 12; ++bits) {
    std::vector<SourceFilter> filters;
    for (unsigned which = 0; which < 3; ++which) {
      SourceFilter filter;
      filter.mode = (bits >> (which * 4) & 1u) != 0 ? FilterMode::kExclude : FilterMode::kInclude;
      for (int number = 1; number <= 3; ++number) {
        if ((bits >> (which * 4 + static_cast<unsigned>(number)) & 1u) != 0) {
          filter.sources.insert(source(number));
        }
      }
      filters.push_back(filter);
    }
    const SourceFilter all = merge(filters);
    for (int number = 1; number <= 4; ++number) {
      bool any = false;
      for (const SourceFilter& filter : filters) {
        any = any || filter.admits(source(number));
      }
      ASSERT_EQ(all.admits(source(number)), any) << bits << " source " << number;
    }
  }
}

}  // namespace
}  // namespace hearthcast
