#include "tunnelmgr/mcast/report.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace hearthcast::mcast {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }
const FlowKey kFlow{ip("10.64.0.10"), ip("232.1.1.1"), 5000};

Reception some() {
  Reception reception;
  for (const std::uint64_t sequence : {0U, 1U, 3U, 3U}) {
    Buffer packet(1316);
    encode_probe({7, sequence, 1'000'000}, packet);
    reception.on_datagram(packet, 1'000'000 + 25'000);
  }
  return reception;
}

TEST(ReceiveReport, TellsPeopleWhatMatters) {
  ReceiveReport report{kFlow, "eth0", 2.5, 9.25, true, 1.5, 0};
  const auto reception = some();
  const auto text = to_text(report, reception);
  EXPECT_THAT(text, HasSubstr("10.64.0.10@232.1.1.1:5000 on eth0, 2.50 s"));
  EXPECT_THAT(text, HasSubstr("first packet 9.25 ms after the join"));
  EXPECT_THAT(text, HasSubstr("3 packets, 1 lost (25.00 %), 1 twice, 0 out of order"));
  EXPECT_THAT(text, HasSubstr("last packet on the link 1.50 ms after the leave"));
  EXPECT_THAT(text, Not(HasSubstr("clocks")));
  EXPECT_THAT(text, Not(HasSubstr("dropped here")));
}

TEST(ReceiveReport, TellsWhatWentWrong) {
  ReceiveReport report{kFlow, "eth0", 2.5, std::nullopt, true, std::nullopt, 12};
  Reception reception;
  reception.on_datagram(Buffer{1}, 0);
  Buffer early(kProbeSize);
  encode_probe({1, 0, 500}, early);
  reception.on_datagram(early, 400);
  const auto text = to_text(report, reception);
  EXPECT_THAT(text, HasSubstr("nothing came"));
  EXPECT_THAT(text, HasSubstr("still flowing on the link when the watch ended"));
  EXPECT_THAT(text, HasSubstr("12 of the lost ones were dropped here"));
  EXPECT_THAT(text, HasSubstr("1 packets that hearthcast-mcast did not send"));
  EXPECT_THAT(text, HasSubstr("the clocks disagree: 1 packets"));
}

TEST(ReceiveReport, TellsProgramsEverything) {
  const auto reception = some();
  const auto json =
      Json::parse(to_json(ReceiveReport{kFlow, "eth0", 2.5, 9.25, true, std::nullopt, 3}, reception));
  EXPECT_EQ(json["group"], "232.1.1.1");
  EXPECT_EQ(json["port"], 5000);
  EXPECT_EQ(json["source"], "10.64.0.10");
  EXPECT_EQ(json["packets"], 3);
  EXPECT_EQ(json["lost"], 1);
  EXPECT_EQ(json["dropped_here"], 3);
  EXPECT_EQ(json["join_to_first_ms"], 9.25);
  EXPECT_TRUE(json["leave_to_stop_ms"].is_null());
  EXPECT_TRUE(json["left"]);
  const auto& stream = json["streams"].at(0);
  EXPECT_EQ(stream["duplicates"], 1);
  EXPECT_EQ(stream["highest_sequence"], 3);
  EXPECT_EQ(stream["latency_us"]["least"], 25.0);
  EXPECT_EQ(stream["latency_us"]["most"], 25.0);
  EXPECT_EQ(stream["latency_us"]["p99"], 25.0);
  EXPECT_EQ(stream["latency_us"]["variance"], 0.0);
}

TEST(SendReport, TellsRateAndFailure) {
  SendReport report{kFlow, "eth0", {ip("10.64.0.10"), 1}, 1000, 0, 1316, 2, ""};
  EXPECT_THAT(to_text(report), HasSubstr("500 a second, 5.26 Mbit/s"));
  EXPECT_THAT(to_text(report), Not(HasSubstr("kernel")));
  EXPECT_TRUE(Json::parse(to_json(report))["error"].is_null());
  report.refused = 4;
  report.error = "Network is down";
  EXPECT_THAT(to_text(report), HasSubstr("4 packets found no room"));
  EXPECT_THAT(to_text(report), HasSubstr("the kernel said: Network is down"));
  EXPECT_EQ(Json::parse(to_json(report))["error"], "Network is down");
  EXPECT_EQ(Json::parse(to_json(report))["refused"], 4);
}

const trace::Query kQuery{ip("232.1.1.1"), ip("10.64.0.10"), ip("192.168.1.1"), {ip("192.168.1.20"), 4}};

trace::Outcome outcome(trace::Ending ending, wire::Mtrace2Code code = wire::Mtrace2Code::kNoError) {
  wire::Mtrace2Response hop;
  hop.incoming = ip("10.64.0.2");
  hop.outgoing = ip("192.168.1.1");
  hop.upstream = ip("10.64.0.1");
  hop.flow_packets = 42;
  hop.code = code;
  return {ending, {hop}, std::chrono::milliseconds(3), false};
}

TEST(TraceReport, DrawsThePathAndSaysHowItEnds) {
  const auto text = to_text(kQuery, outcome(trace::Ending::kSilent));
  EXPECT_THAT(text, HasSubstr("path of 232.1.1.1 from 10.64.0.10, asked at 192.168.1.1"));
  EXPECT_THAT(text, HasSubstr("1  192.168.1.1 <- 10.64.0.2, 42 packets, no error"));
  EXPECT_THAT(text, HasSubstr("the router above, 10.64.0.1, does not answer"));
  EXPECT_THAT(to_text(kQuery, outcome(trace::Ending::kStopped)), HasSubstr("was not asked by the last one"));
  EXPECT_THAT(to_text(kQuery, outcome(trace::Ending::kStopped, wire::Mtrace2Code::kNotForwarding)),
              HasSubstr("not forwarding\n  it stops there"));
  EXPECT_THAT(to_text(kQuery, outcome(trace::Ending::kReached)),
              HasSubstr("the source's own link is reached"));
  EXPECT_THAT(to_text(kQuery, {}), HasSubstr("no answer"));
}

TEST(TraceReport, ShowsInterfacesOfIPv6ByNumber) {
  auto found = outcome(trace::Ending::kReached);
  found.path[0].outgoing.reset();
  found.path[0].incoming = ip("2001:db8::2");
  found.path[0].incoming_interface = 2;
  found.path[0].outgoing_interface = 3;
  EXPECT_THAT(to_text(kQuery, found), HasSubstr("1  2001:db8::2 (interface 3 <- 2)"));
  EXPECT_EQ(Json::parse(to_json(kQuery, found))["path"][0]["incoming_interface"], 2);
}

TEST(TraceReport, TellsProgramsEverything) {
  const auto json = Json::parse(to_json(kQuery, outcome(trace::Ending::kStopped)));
  EXPECT_EQ(json["ending"], "stopped");
  EXPECT_EQ(json["round_trip_ms"], 3.0);
  EXPECT_EQ(json["path"][0]["upstream"], "10.64.0.1");
  EXPECT_EQ(json["path"][0]["flow_packets"], 42);
  EXPECT_TRUE(json["path"][0]["input_packets"].is_null());
  EXPECT_EQ(json["path"][0]["code"], 0);
}

}  // namespace
}  // namespace hearthcast::mcast
