// `multicast show`: everything that the API tells has its place in the text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "appliance/api/render.hpp"
#include "appliance/app/print.hpp"
#include "tests/unit/api/multicast_example.hpp"

namespace hearthcast::app {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string shown(const multicast::MulticastStatus& status) {
  return print_multicast(api::render_multicast(status));
}

TEST(PrintMulticast, SaysWhatToDoWhenThereIsNothing) {
  EXPECT_THAT(shown({}), HasSubstr("sample-settings"));
  EXPECT_THAT(print_multicast(json::object()), HasSubstr("No multicast instance"));
}

TEST(PrintMulticast, TroublesComeFirstThenEachInstanceWithItsDiagnosis) {
  const std::string text = shown(api::testing_multicast::example());
  EXPECT_THAT(text, StartsWith("! The kernel has no table left.\n"
                               "tv: eth0 ==> eth1 eth9 and devices away\n"
                               "  ! No query seen from the provider on eth0 for 300 s.\n"));
}

TEST(PrintMulticast, InterfacesTellStateQuerierAndVersion) {
  const std::string text = shown(api::testing_multicast::example());
  EXPECT_THAT(text,
              HasSubstr("  upstream eth0 (2): up\n    ipv6: 1000 packets (1376000 bytes) routed in, 0 (0) "
                        "out\n    ipv4: no query heard yet\n"
                        "    ipv6: MLDv1, last query 300 s ago from fe80::99\n"));
  EXPECT_THAT(text, HasSubstr("  downstream eth1 (3): up\n    ipv6: 0 packets (0 bytes) routed in, 999 "
                              "(1374624) out\n    ipv6: MLDv2, querier as fe80::1; 12 reports, 0 "
                              "leaves, 8 queries; not heeded: over_limit 5\n"));
  EXPECT_THAT(text, HasSubstr("  downstream eth9: absent\n"));
}

TEST(PrintMulticast, GroupsTellSourcesTimersAndListeners) {
  const std::string text = shown(api::testing_multicast::example());
  EXPECT_THAT(
      text, HasSubstr("      ff3e::8000:1 INCLUDE {2001:db8::1 (250 s)}, for 40 s, version 2, last reporter "
                      "fe80::9\n        fe80::9 INCLUDE {2001:db8::1}, heard 10 s ago\n"));
  EXPECT_THAT(text,
              HasSubstr("  group ff3e::8000:1 INCLUDE {2001:db8::1}, for 40 s, 1000 packets, 1316000 bytes\n"
                        "    joined on eth0: INCLUDE {2001:db8::1}\n"
                        "    wanted by eth1: INCLUDE {2001:db8::1}\n"
                        "    wanted by device 3: INCLUDE {2001:db8::1}\n"
                        "    wanted by static: INCLUDE {2001:db8::1}\n"));
}

TEST(PrintMulticast, RoutesTellTheirTraffic) {
  const std::string text = shown(api::testing_multicast::example());
  EXPECT_THAT(text,
              HasSubstr("  route (2001:db8::1, ff3e::8000:1) eth0 ==> eth1, listened: 1000 packets, 1316000 "
                        "bytes, for 40 s, moved 1 s ago, 2 came in elsewhere\n"));
  EXPECT_THAT(text, HasSubstr("  route (*, 239.9.9.9) eth0 ==> (nothing), negative: 0 packets"));
}

TEST(PrintMulticast, DropsAreNamedOnlyWhereThereAreAny) {
  auto status = api::testing_multicast::example();
  EXPECT_THAT(shown(status), HasSubstr("  not heeded: denied_by_rule 7\n"));
  EXPECT_THAT(shown(status), HasSubstr("dropped: link_overflow 11\n"));
  status.proxy.instances[0].drops = {};
  status.drops = {};
  EXPECT_THAT(shown(status), Not(HasSubstr("  not heeded: d")));
  EXPECT_THAT(shown(status), Not(HasSubstr("dropped: ")));
}

TEST(PrintMulticast, ModeExcludeShowsWhatIsForwardedAllTheSameAndWhoElseAsks) {
  auto status = api::testing_multicast::example();
  auto& router = status.links[0].families[0];
  router.role = membership::QuerierRole::kOther;
  router.querier_expires = std::chrono::seconds(200);
  auto& group = router.groups[0];
  group.mode = FilterMode::kExclude;
  group.expires = std::chrono::seconds(99);
  group.asking = true;
  group.sources.push_back({.address = api::testing_multicast::ip("2001:db8::2"), .forwarded = false});
  const std::string text = shown(status);
  EXPECT_THAT(text, HasSubstr("the querier is fe80::1 for 200 s more"));
  EXPECT_THAT(text,
              HasSubstr("EXCLUDE {2001:db8::1 forwarded (250 s), 2001:db8::2}, for 40 s, expires in 99 s"));
  EXPECT_THAT(text, HasSubstr("asking whether anybody still listens"));
}

TEST(PrintMulticast, TunnelsAreShownByDevice) {
  multicast::MulticastStatus status;
  status.tunnels = {{PeerId{7}, DeviceId{3}, {api::testing_multicast::router()}}};
  EXPECT_THAT(shown(status), StartsWith("device 3:\n    ipv6: MLDv2"));
}

}  // namespace
}  // namespace hearthcast::app
