// The program itself, in a network of its own: exit codes, words, and a sender with a receiver.
#include <gmock/gmock.h>

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "tests/unit/linux/private_network.hpp"

namespace hearthcast::mcast {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

struct Outcome {
  int code;
  std::string text;  // both streams
};

Outcome run(const std::string& arguments) {
  FILE* pipe = ::popen((std::string(MCAST_PROGRAM " ") + arguments + " 2>&1").c_str(), "r");
  Outcome out{-1, {}};
  std::array<char, 4096> room{};
  while (std::fgets(room.data(), room.size(), pipe) != nullptr) {
    out.text += room.data();
  }
  const int status = ::pclose(pipe);
  out.code = WEXITSTATUS(status);
  return out;
}

TEST(McastProgram, ExplainsItself) {
  const auto help = run("--help");
  EXPECT_EQ(help.code, 0);
  for (const char* word : {"send", "receive", "trace", "Exit code"}) {
    EXPECT_THAT(help.text, HasSubstr(word));
  }
  EXPECT_EQ(run("--version").code, 0);
  EXPECT_THAT(run("receive --help").text, HasSubstr("--leave"));
}

TEST(McastProgram, WrongUsageIsExitCodeTwoWithWords) {
  EXPECT_EQ(run("").code, 2);
  EXPECT_EQ(run("dance").code, 2);
  EXPECT_EQ(run("receive").code, 2);
  for (const auto& [arguments, words] : std::vector<std::pair<const char*, const char*>>{
           {"receive 192.0.2.1:5000", "no multicast group"},
           {"receive 239.1.1.1 --interface nosuch0", "no interface 'nosuch0'"},
           {"send 239.1.1.1 --interface lo --size 5", "--size: from 28"},
           {"send 239.1.1.1 --interface lo --ttl 256", "--ttl: 0 to 255"},
           {"send 239.1.1.1 --interface lo --source here", "'here' is no address"},
           {"send 239.1.1.1 --interface lo --seconds -1", "'-1': a number of seconds"},
           {"send 239.1.1.1 --interface lo --rate nan", "'nan': packets a second"},
           {"send 239.1.1.1 --interface lo --count 0", "--count"},
           {"receive 239.1.1.1 --interface lo --seconds nan", "'nan': a number of seconds"},
           {"receive 239.1.1.1 --interface lo --seconds inf", "'inf': a number of seconds"},
           {"receive 239.1.1.1 --interface lo --seconds 1x", "'1x': a number of seconds"},
           {"receive 239.1.1.1 --interface lo --count 0", "--count"},
           {"receive 239.1.1.1 --interface lo --leave --quiet 0", "'0': a number of seconds from 0.001"},
           {"receive 239.1.1.1 --interface lo --leave --watch -2", "'-2': a number of seconds from 0.001"},
           {"trace 239.1.1.1 127.0.0.1 --timeout nan", "'nan': a number of seconds"},
           {"trace 239.1.1.1 127.0.0.1 --timeout 1e8", "from 0.001 to 3600"},
           {"trace 239.1.1.1 fe80::1", "cannot be asked"},
           {"trace 239.1.1.1 127.0.0.1 --hops 0", "--hops: 1 to 255"}}) {
    const auto outcome = run(arguments);
    EXPECT_EQ(outcome.code, 2) << arguments;
    EXPECT_THAT(outcome.text, HasSubstr(words)) << arguments;
  }
}

TEST(McastProgram, AReceiverHearsASenderAndSeesItStopAfterTheLeave) {
  const bool permitted = linux::in_private_network(65536, [] {
    Outcome sent{};
    std::thread sender([&] {
      sent =
          run("send 239.1.1.1:5000 --interface lo --source 127.0.0.1 --rate 500 --size 200 --seconds 60 "
              "--count 4000");
    });
    const auto heard = run("receive 127.0.0.1@239.1.1.1:5000 --interface lo --seconds 60 --count 500 --json");
    EXPECT_EQ(heard.code, 0) << heard.text;
    const auto json = Json::parse(heard.text);
    EXPECT_GE(json["packets"], 500);
    EXPECT_EQ(json["lost"], 0);
    EXPECT_EQ(json["streams"].size(), 1U);
    EXPECT_GE(json["join_to_first_ms"], 0.0);
    EXPECT_GT(json["streams"][0]["latency_us"]["p99"], 0.0);
    // On a loopback the packets go on for as long as they are sent: the watch gives up and says so.
    const auto watched = run(
        "receive 239.1.1.1:5000 --interface lo --seconds 60 --count 5 --leave --quiet 30 --watch 0.3 --json");
    EXPECT_TRUE(Json::parse(watched.text)["leave_to_stop_ms"].is_null()) << watched.text;
    sender.join();
    EXPECT_EQ(sent.code, 0) << sent.text;
    EXPECT_THAT(sent.text, HasSubstr("sent 4000 packets of 200 octets"));
    // Nothing is sent any more: that is a failure, for scripts.
    const auto nothing = run("receive 239.1.1.1:5000 --interface lo --seconds 0.2");
    EXPECT_EQ(nothing.code, 1);
    EXPECT_THAT(nothing.text, HasSubstr("nothing came"));
  });
  if (!permitted) {
    GTEST_SKIP() << "needs root for a network namespace";
  }
}

TEST(McastProgram, ATraceWithoutAnAnswerSaysSo) {
  const auto outcome = run("trace 239.1.1.1 127.0.0.1 --timeout 0.02");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.text, HasSubstr("no answer"));
}

}  // namespace
}  // namespace hearthcast::mcast
