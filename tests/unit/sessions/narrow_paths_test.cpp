#include "appliance/sessions/narrow_paths.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hearthcast::sessions {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const FlowKey kNews{std::nullopt, *IpAddress::parse("239.1.2.3"), 5004};
const FlowKey kFilm{std::nullopt, *IpAddress::parse("239.1.2.4"), 5004};
const Time t0{1h};

TEST(NarrowPaths, WithholdsForAWhileAndSaysWhyEachTime) {
  NarrowPaths paths;
  const auto refusal = paths.note({kNews, 3'000'000, 6'000'000}, t0);
  EXPECT_EQ(refusal.code, tunnel::RefusalCode::kPath);
  EXPECT_THAT(refusal.text, HasSubstr("up to 2.5 Mbit/s would fit"));
  FlatSet<FlowKey> granted{kNews, kFilm};
  const auto withheld = paths.withhold(granted, t0 + 1s);
  EXPECT_THAT(granted, ElementsAre(kFilm));
  EXPECT_THAT(withheld, ElementsAre(refusal));
  granted = {kFilm};
  EXPECT_THAT(paths.withhold(granted, t0 + 1s), IsEmpty());
  granted = {kNews};
  EXPECT_THAT(paths.withhold(granted, t0 + NarrowPaths::kWithheld), IsEmpty());
  EXPECT_THAT(granted, SizeIs(1));
}

TEST(NarrowPaths, APathThatCarriesNothingOffersNothing) {
  NarrowPaths paths;
  const auto refusal = paths.note({kNews, 300'000, 8'000'000}, t0);
  EXPECT_THAT(refusal.text, HasSubstr("no picture fits"));
  EXPECT_THAT(refusal.text, Not(HasSubstr("would fit")));
}

TEST(NarrowPaths, WildNumbersAreOnlyWords) {
  NarrowPaths paths;
  EXPECT_THAT(paths.note({kNews, UINT64_MAX, UINT64_MAX}, t0).text, HasSubstr("Mbit/s"));
  EXPECT_THAT(paths.note({kNews, 0, 0}, t0).text, HasSubstr("0.0 Mbit/s"));
}

}  // namespace
}  // namespace hearthcast::sessions
