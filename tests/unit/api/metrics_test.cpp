// /metrics: who may read it, and that everything counted is there in a form that Prometheus takes.
#include "appliance/api/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "tests/unit/api/browser.hpp"
#include "tests/unit/api/multicast_example.hpp"

namespace hearthcast::api {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class MetricsTest : public testing::Test, protected testing_browser::Browser {
 protected:
  testing_browser::Answer read() { return send("GET", "/metrics"); }
};

TEST_F(MetricsTest, OnlyThisMachineReadsThem) {
  EXPECT_EQ(read().status, 403);
  EXPECT_EQ(read().code(), "metrics_local");
  for (const char* near : {"127.0.0.1:1", "[::1]:1"}) {
    peer = *Endpoint::parse(near);
    EXPECT_EQ(read().status, 200) << near;
  }
  EXPECT_EQ(std::string(read().headers.get("content-type")), "text/plain; version=0.0.4; charset=utf-8");
  peer = *Endpoint::parse("192.0.2.50:1");
  use_control_socket();
  EXPECT_EQ(read().status, 200);
}

TEST_F(MetricsTest, AllReadThemWhenTheOwnerSaysSo) {
  services.metrics_for_all = true;
  EXPECT_EQ(read().status, 200);
  EXPECT_EQ(send("POST", "/metrics").status, 405);
}

TEST_F(MetricsTest, ForeignHostNamesAreRefusedHereToo) {
  peer = *Endpoint::parse("127.0.0.1:1");
  host = "evil.example";
  EXPECT_EQ(read().status, 421);
}

LiveState busy() {
  LiveState live;
  live.channels[ChannelId{4}] = {.state = ChannelLive::State::kLive,
                                 .bitrate_bps = 8'000'000,
                                 .packets = 1000,
                                 .continuity_errors = 1,
                                 .viewers = 2,
                                 .kernel_drops = 30};
  live.channels[ChannelId{2}] = {.state = ChannelLive::State::kNoSignal};
  live.devices[DeviceId{3}].connected = true;
  live.devices[DeviceId{3}].path = PathKind::kRelayed;
  live.devices[DeviceId{3}].path_reason = "no \"direct\" way";
  live.devices[DeviceId{5}].connected = false;
  live.devices[DeviceId{5}].path = PathKind::kDirect;
  ViewerLive& viewer = live.viewers.emplace_back();
  viewer.device = DeviceId{3};
  viewer.channel = ChannelId{4};
  viewer.packets = 900;
  viewer.bytes = 1'000'000;
  viewer.dropped = 7;
  viewer.form = "fragments";
  live.devices[DeviceId{3}].path_mtu = 1280;
  viewer.asked_again = 12;
  viewer.sent_again = 10;
  viewer.not_sent_again = 2;
  live.tunnel_port = {.datagrams = 50, .drops = {{"stray", 4}, {"rejected", 6}}};
  live.tunnel_interface.packets_in = 21;
  live.tunnel_interface.packets_out = 22;
  live.tunnel_interface.drops = {{"spoofed", 23}};
  live.tunnel_interface.home_connections = 24;
  live.tunnel_interface.home_packets_in = 25;
  live.multicast = std::make_shared<const multicast::MulticastStatus>(testing_multicast::example());
  return live;
}

TEST_F(MetricsTest, TellWhatTheBoxDoes) {
  const std::string text = metrics_text(busy(), 90s);
  for (const char* line :
       {"hearthcast_up_time_seconds 90\n",
        "hearthcast_devices_connected 1\n",
        "hearthcast_tunnel_port_datagrams_total 50\n",
        "hearthcast_tunnel_port_drops_total{reason=\"stray\"} 4\n",
        "hearthcast_tunnel_port_drops_total{reason=\"rejected\"} 6\n",
        "hearthcast_tunnel_interface_packets_total{direction=\"in\"} 21\n",
        "hearthcast_tunnel_interface_packets_total{direction=\"out\"} 22\n",
        "hearthcast_tunnel_interface_drops_total{reason=\"spoofed\"} 23\n",
        "hearthcast_home_hosts_connections 24\n",
        "hearthcast_home_hosts_packets_total{direction=\"in\"} 25\n",
        "hearthcast_channel_signal{channel=\"2\"} 0\nhearthcast_channel_signal{channel=\"4\"} 1\n",
        "hearthcast_channel_packets_total{channel=\"4\"} 1000\n",
        "hearthcast_channel_kernel_drops_total{channel=\"2\"} 0\n",
        "hearthcast_channel_kernel_drops_total{channel=\"4\"} 30\n",
        "hearthcast_viewer_drops_total{device=\"3\",channel=\"4\"} 7\n",
        "hearthcast_viewer_form{device=\"3\",channel=\"4\",form=\"fragments\"} 1\n",
        "hearthcast_device_path{device=\"3\",path=\"relayed\",reason=\"no \\\"direct\\\" way\"} 1\n",
        "hearthcast_device_path_mtu_bytes{device=\"3\"} 1280\n",
        "hearthcast_viewer_asked_again_total{device=\"3\",channel=\"4\"} 12\n",
        "hearthcast_viewer_sent_again_total{device=\"3\",channel=\"4\"} 10\n",
        "hearthcast_viewer_not_sent_again_total{device=\"3\",channel=\"4\"} 2\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("hearthcast_device_path{device=\"5\"")));
}

TEST_F(MetricsTest, TellOfEveryLinkInstanceAndRoute) {
  const std::string text = metrics_text(busy(), 90s);
  for (const char* line :
       {"hearthcast_multicast_querier{interface=\"eth1\",family=\"ipv6\"} 1\n",
        "hearthcast_multicast_reports_total{interface=\"device 3\",family=\"ipv6\"} 12\n",
        "hearthcast_multicast_link_drops_total{interface=\"eth1\",family=\"ipv6\",reason=\"over_limit\"} 5\n",
        "hearthcast_multicast_upstream_query_age_seconds{instance=\"tv\",interface=\"eth0\",family=\"ipv6\"} "
        "300\n",
        "hearthcast_multicast_groups{instance=\"tv\"} 1\n",
        "hearthcast_multicast_findings{instance=\"tv\"} 1\n",
        "hearthcast_multicast_drops_total{instance=\"tv\",reason=\"denied_by_rule\"} 7\n",
        "hearthcast_multicast_drops_total{instance=\"\",reason=\"link_overflow\"} 11\n",
        "hearthcast_multicast_route_packets_total{instance=\"tv\",source=\"2001:db8::1\",group=\"ff3e::8000:"
        "1\"} "
        "1000\n",
        "hearthcast_multicast_interface_packets_total{interface=\"eth1\",family=\"ipv6\",direction=\"out\"} "
        "999\n",
        "hearthcast_multicast_route_packets_total{instance=\"tv\",source=\"any\",group=\"239.9.9.9\"} 0\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST_F(MetricsTest, EveryReasonOfADropHasACounterFromTheStart) {
  const std::string text = metrics_text(busy(), 90s);
  for (std::size_t at = 0; at < proxy::kDropReasons; ++at) {
    const std::string reason(proxy::code_text(static_cast<proxy::Drop>(at)));
    EXPECT_THAT(text, HasSubstr("instance=\"tv\",reason=\"" + reason + "\"}"));
  }
  for (const auto& [name, count] : membership::drop_reasons({})) {
    EXPECT_THAT(text, HasSubstr("family=\"ipv6\",reason=\"" + std::string(name) + "\"}"));
  }
}

// The format's own rules: help and type once before the samples of a metric, names and labels well formed, no
// sample twice, counters called _total.
TEST_F(MetricsTest, TheFormatIsThatOfPrometheus) {
  const std::regex sample(
      R"(([a-z_]+)(\{[a-z]+="(?:[^"\\\n]|\\.)*"(?:,[a-z]+="(?:[^"\\\n]|\\.)*")*\})? [0-9]+)");
  std::istringstream lines(metrics_text(busy(), 90s));
  std::set<std::string> known, samples;
  std::string line, name, type;
  while (std::getline(lines, line)) {
    if (line.rfind("# HELP ", 0) == 0) {
      name = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_TRUE(known.insert(name).second) << name << " comes twice";
      ASSERT_TRUE(std::getline(lines, line));
      ASSERT_EQ(line.rfind("# TYPE " + name + " ", 0), 0U) << line;
      type = line.substr(8 + name.size());
      EXPECT_EQ(type == "counter", name.size() > 6 && name.substr(name.size() - 6) == "_total") << name;
      continue;
    }
    std::smatch parts;
    ASSERT_TRUE(std::regex_match(line, parts, sample)) << line;
    EXPECT_EQ(parts[1], name) << line;
    EXPECT_TRUE(samples.insert(parts[1].str() + parts[2].str()).second) << line << " comes twice";
  }
  EXPECT_GT(known.size(), 20U);
}

TEST_F(MetricsTest, WithoutAMulticastPlaneTheRestIsThere) {
  const std::string text = metrics_text({}, 5s);
  EXPECT_THAT(text, HasSubstr("hearthcast_up_time_seconds 5\n"));
  EXPECT_THAT(text, Not(HasSubstr("hearthcast_multicast")));
}

}  // namespace
}  // namespace hearthcast::api
