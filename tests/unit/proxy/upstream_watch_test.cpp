#include "appliance/proxy/upstream_watch.hpp"

#include <gmock/gmock.h>

namespace hearthcast::proxy {
namespace {

using namespace std::chrono_literals;

const Time t0 = Time{} + 1000s;
const IpAddress kProvider = *IpAddress::parse("10.0.0.1");
const IpAddress kProvider6 = *IpAddress::parse("fe80::1");

TEST(UpstreamWatch, ReportsNothingWhileNothingIsJoined) {
  UpstreamWatch watch;
  EXPECT_EQ(watch.next_report(), kNever);
  watch.on_join(Family::kIp4, t0);
  EXPECT_EQ(watch.next_report(), t0 + kReportInterval);
  watch.on_leave(Family::kIp4);
  EXPECT_EQ(watch.next_report(), kNever);
}

TEST(UpstreamWatch, AQueryPutsTheOwnReportOff) {
  UpstreamWatch watch;
  watch.on_join(Family::kIp4, t0);
  watch.on_query({kProvider, 3}, t0 + 60s);
  EXPECT_EQ(watch.next_report(), t0 + 60s + kReportInterval);
  watch.on_query({kProvider6, 2}, t0 + 100s);
  EXPECT_EQ(watch.next_report(), t0 + 60s + kReportInterval) << "nobody asked for the groups of IPv4";
}

TEST(UpstreamWatch, WithoutQueriesReportsAtEveryInterval) {
  UpstreamWatch watch;
  watch.on_join(Family::kIp6, t0);
  Time now = t0;
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(watch.next_report(), now + kReportInterval);
    now = watch.next_report();
    watch.on_reported(now);
  }
}

TEST(UpstreamWatch, KnowsSinceWhenItIsQuiet) {
  UpstreamWatch watch;
  EXPECT_EQ(watch.quiet_since(Family::kIp4), std::nullopt);
  watch.on_query({kProvider, 3}, t0);
  watch.on_join(Family::kIp4, t0 + 500s);
  EXPECT_EQ(watch.quiet_since(Family::kIp4), t0 + 500s) << "before, it did not matter";
  watch.on_query({kProvider, 3}, t0 + 600s);
  EXPECT_EQ(watch.quiet_since(Family::kIp4), t0 + 600s);
}

TEST(Row31_OlderQuerier, IsNoticedOnceAndForgottenInTime) {
  UpstreamWatch watch;
  EXPECT_FALSE(watch.on_query({kProvider, 3}, t0));
  EXPECT_FALSE(watch.status(Family::kIp4, t0).older);
  EXPECT_TRUE(watch.on_query({kProvider, 2}, t0 + 1s));
  EXPECT_FALSE(watch.on_query({kProvider, 2}, t0 + 126s)) << "known already";
  EXPECT_TRUE(watch.status(Family::kIp4, t0 + 126s + 259s).older);
  EXPECT_FALSE(watch.status(Family::kIp4, t0 + 126s + 260s).older);
  EXPECT_FALSE(watch.status(Family::kIp6, t0 + 126s).older);
  EXPECT_TRUE(watch.on_query({kProvider, 2}, t0 + 1000s)) << "anew";
}

TEST(Row31_OlderQuerier, ANewerQueryInBetweenDoesNotEndIt) {
  UpstreamWatch watch;
  watch.on_query({kProvider6, 1}, t0);
  watch.on_query({kProvider6, 2}, t0 + 100s);
  EXPECT_TRUE(watch.status(Family::kIp6, t0 + 200s).older);
  EXPECT_EQ(watch.status(Family::kIp6, t0 + 200s).version, 2U);
}

TEST(Row31_OlderQuerier, TheFirstIgmpLastsLonger) {
  UpstreamWatch watch;
  EXPECT_TRUE(watch.on_query({kProvider, 1}, t0));
  watch.on_query({kProvider, 2}, t0 + 10s);
  EXPECT_TRUE(watch.status(Family::kIp4, t0 + 399s).older);
  EXPECT_FALSE(watch.status(Family::kIp4, t0 + 400s).older);
}

TEST(UpstreamWatch, ShowsWhoAskedAndWhen) {
  UpstreamWatch watch;
  EXPECT_FALSE(watch.status(Family::kIp4, t0).heard);
  watch.on_query({kProvider, 3}, t0);
  const QuerierStatus status = watch.status(Family::kIp4, t0 + 42s);
  EXPECT_EQ(status.address, kProvider);
  EXPECT_EQ(status.version, 3U);
  EXPECT_EQ(status.heard, 42s);
}

}  // namespace
}  // namespace hearthcast::proxy
