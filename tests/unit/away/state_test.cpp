#include "tunnelmgr/away/state.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tunnelmgr/away/settings.hpp"
#include "tunnelmgr/away/web.hpp"
#include "tunnelmgr/secure/identity.hpp"

namespace hearthcast::away {
namespace {

struct StateTest : testing::Test {
  StateTest() {
    std::filesystem::remove_all(folder_);
    EXPECT_TRUE(state_.prepare());
  }
  ~StateTest() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) { std::ofstream(folder_ / name) << text; }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("hearthcast-state-" + std::to_string(::getpid()));
  StateFolder state_{folder_};
};

BoxRecord example_box() {
  BoxRecord box;
  box.public_key = {1, 2, 3};
  box.name = "Home";
  box.rendezvous = signalling::RendezvousAddress::parse("wss://rendezvous.example/v1", std::string(64, 'a'));
  box.addresses = {*Endpoint::parse("192.168.1.2:8871"), *Endpoint::parse("[fd00::2]:8871")};
  box.manual = {*tunnel::ReachAddress::parse("home.example.net:9"),
                *tunnel::ReachAddress::parse("2001:db8::9")};
  return box;
}

TEST_F(StateTest, WhatIsSavedComesBack) {
  const auto box = example_box();
  ASSERT_TRUE(box.rendezvous);
  ASSERT_TRUE(state_.save(box));
  EXPECT_EQ(**state_.load_box(), box);

  Memory memory;
  memory.port = 40000;
  memory.endpoints = {*Endpoint::parse("198.51.100.1:4755")};
  memory.candidates = {*Endpoint::parse("[2001:db8::1]:4755")};
  memory.told = {*tunnel::ReachAddress::parse("198.51.100.1:4756")};
  memory.own = {1, 77};
  memory.box = {0, 5};
  ASSERT_TRUE(state_.save(memory));
  EXPECT_EQ(**state_.load_memory(), memory);

  tunnel::ChannelList list{
      9, {{ChannelId{1}, "One", {std::nullopt, *IpAddress::parse("239.1.1.1"), 5}, true, {}}}};
  ASSERT_TRUE(state_.save(list));
  EXPECT_EQ(**state_.load_channels(), list);
  state_.forget_channels();
  EXPECT_FALSE(*state_.load_channels());
}

TEST_F(StateTest, WhatIsNotThereIsNoFailure) {
  EXPECT_FALSE(*state_.load_box());
  EXPECT_FALSE(*state_.load_memory());
  EXPECT_FALSE(*state_.load_channels());
}

TEST_F(StateTest, DamageIsAFailureThatNamesTheFile) {
  for (const auto* text :
       {"", "{", "[]", "{}", R"({"public_key":"!","name":"x","addresses":[]})",
        R"({"public_key":"AQ","name":"x","addresses":["nowhere"]})",
        R"({"public_key":"AQ","name":"x","addresses":[],"rendezvous":{"url":"x","pin":"y"}})"}) {
    write("box.json", text);
    const auto box = state_.load_box();
    ASSERT_FALSE(box) << text;
    EXPECT_NE(box.error().text.find("box.json"), std::string::npos);
  }
  write("memory.json", R"({"port":"many"})");
  EXPECT_FALSE(state_.load_memory());
  write("channels.json", R"({"type":"ping","nonce":1})");
  EXPECT_FALSE(state_.load_channels());
}

TEST_F(StateTest, FilesAreForTheOwnerOnly) {
  ASSERT_TRUE(state_.save(example_box()));
  struct stat facts {};
  ASSERT_EQ(::stat((folder_ / "box.json").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
  ASSERT_EQ(::stat(folder_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0700U);
}

TEST_F(StateTest, AFileThatCannotBeWrittenLeavesTheFormerOne) {
  Memory memory;
  memory.port = 4000;
  ASSERT_TRUE(state_.save(memory));
  std::filesystem::create_directory(folder_ / "memory.json.new");  // in the way of the temporary file
  memory.port = 5000;
  const auto written = state_.save(memory);
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().text.find("memory.json.new"), std::string::npos);
  EXPECT_EQ((*state_.load_memory())->port, 4000);
}

TEST_F(StateTest, TheNewestEndpointsAreKept) {
  Memory memory;
  for (std::uint16_t port = 1; port <= 12; ++port) {
    memory.reached({*IpAddress::parse("192.0.2.1"), port});
  }
  memory.reached({*IpAddress::parse("192.0.2.1"), 7});
  EXPECT_EQ(memory.endpoints.size(), Memory::kMaxEndpoints);
  EXPECT_EQ(memory.endpoints.front().port, 7);
  EXPECT_EQ(memory.endpoints[1].port, 12);
}

TEST(Settings, TheSampleFileIsWhatTheProgramDocuments) {
  AwaySettings settings;
  const auto declared = declare(settings);
  std::ifstream file("packaging/settings/away.toml");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_EQ(text, declared.sample()) << "run: hearthcast-away sample-settings > packaging/settings/away.toml";
  EXPECT_TRUE(declared.read("packaging/settings/away.toml"));
  EXPECT_EQ(settings.http_listen, *Endpoint::parse("127.0.0.1:8870"));
}

TEST(Web, OnlyItsOwnNamesAreAnswered) {
  const auto loopback = *Endpoint::parse("127.0.0.1:8870");
  for (const auto* host : {"", "127.0.0.1", "127.0.0.1:8870", "localhost", "localhost:8870", "[::1]",
                           "[::1]:8870", "127.9.9.9:1"}) {
    EXPECT_TRUE(is_own_host(host, loopback)) << host;
  }
  for (const auto* host : {"evil.example", "evil.example:8870", "localhost.evil.example", "192.0.2.1:8870",
                           "[::1", "127.0.0.1.evil.example:8870", "[2001:db8::1]:8870"}) {
    EXPECT_FALSE(is_own_host(host, loopback)) << host;
  }
  EXPECT_TRUE(is_own_host("192.0.2.1:8870", *Endpoint::parse("192.0.2.1:8870")));
  EXPECT_TRUE(is_own_host("192.0.2.1:8870", *Endpoint::parse("0.0.0.0:8870")));
  EXPECT_FALSE(is_own_host("evil.example:8870", *Endpoint::parse("0.0.0.0:8870")));
}

}  // namespace
}  // namespace hearthcast::away
