#include "appliance/proxy/static_routes.hpp"

#include <gmock/gmock.h>

namespace hearthcast::proxy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pointee;

IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }
Prefix prefix(std::string_view text) { return *Prefix::parse(text); }

const StaticRoutes kRoutes({
    {.from = "wan", .to = {"lan"}, .group = prefix("239.1.1.1"), .source = prefix("192.0.2.1")},
    {.from = "wan", .to = {"guest"}, .group = prefix("239.1.0.0/16"), .source = prefix("192.0.2.0/24")},
    {.from = "lan", .to = {"wan"}, .group = prefix("239.2.2.2")},
    {.from = "lan", .to = {"guest"}, .group = prefix("ff05::/16")},
});

TEST(StaticRoutes, TheFirstThatMatchesSaysWhereFrom) {
  EXPECT_THAT(kRoutes.from(ip("239.1.1.1"), ip("192.0.2.1")), Pointee(std::string("wan")));
  EXPECT_THAT(kRoutes.from(ip("239.2.2.2"), ip("198.51.100.1")), Pointee(std::string("lan")));
  EXPECT_EQ(kRoutes.from(ip("239.1.1.1"), ip("198.51.100.1")), nullptr);
  EXPECT_EQ(kRoutes.from(ip("239.3.0.1"), ip("192.0.2.1")), nullptr);
}

TEST(StaticRoutes, AllThatMatchSayWhereTo) {
  EXPECT_THAT(kRoutes.to("wan", ip("239.1.1.1"), ip("192.0.2.1")), ElementsAre("guest", "lan"));
  EXPECT_THAT(kRoutes.to("wan", ip("239.1.1.1"), ip("192.0.2.2")), ElementsAre("guest"));
  EXPECT_THAT(kRoutes.to("lan", ip("239.1.1.1"), ip("192.0.2.1")), IsEmpty());
  EXPECT_THAT(kRoutes.to("lan", ip("ff05::1"), ip("2001:db8::1")), ElementsAre("guest"));
}

TEST(StaticRoutes, AnySourceIsMatchedOnlyByRoutesOfAnySource) {
  EXPECT_EQ(kRoutes.from(ip("239.1.1.1"), std::nullopt), nullptr);
  EXPECT_THAT(kRoutes.from(ip("239.2.2.2"), std::nullopt), Pointee(std::string("lan")));
  EXPECT_THAT(kRoutes.to("wan", ip("239.1.1.1"), std::nullopt), IsEmpty());
}

TEST(StaticRoutes, KnowWhatIsNamedSingly) {
  EXPECT_THAT(kRoutes.sources_of(ip("239.1.1.1")), ElementsAre(ip("192.0.2.1")));
  EXPECT_THAT(kRoutes.sources_of(ip("239.1.1.2")), IsEmpty());
  EXPECT_TRUE(kRoutes.any_source_of(ip("239.2.2.2")));
  EXPECT_FALSE(kRoutes.any_source_of(ip("239.1.1.1")));
  EXPECT_FALSE(kRoutes.any_source_of(ip("ff05::1"))) << "a range becomes routes packet by packet";
  EXPECT_THAT(kRoutes.groups(), ElementsAre(ip("239.1.1.1"), ip("239.2.2.2")));
}

}  // namespace
}  // namespace hearthcast::proxy
