#include "appliance/app/reload.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

namespace hearthcast::app {
namespace {

using testing::HasSubstr;
using testing::Not;

struct ReloadTest : testing::Test {
  ReloadTest() {
    std::string name = (std::filesystem::temp_directory_path() / "reload-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    write("name = \"Cabin\"\n");
    reload_ = std::make_unique<Reload>(file(), *read_settings(file()),
                                       [this](const BoxSettings& read) { applied_.push_back(read); });
  }
  ~ReloadTest() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::filesystem::path file() const { return folder_ / "box.toml"; }
  void write(const std::string& toml) const { std::ofstream(file()) << toml; }
  std::string reload() {
    const auto done = (*reload_)();
    return done ? done->text : "refused: " + done.error().text;
  }

  std::filesystem::path folder_;
  std::unique_ptr<Reload> reload_;
  std::vector<BoxSettings> applied_;
};

constexpr const char* kTv = "[[multicast]]\nname = \"tv\"\nupstream = [\"eth0\"]\ndownstream = [\"eth1\"]\n";

TEST_F(ReloadTest, TheSameFileIsAppliedAndSaysSo) {
  EXPECT_EQ(reload(), "The settings are read: 0 multicast instances.");
  EXPECT_EQ(applied_.size(), 1U);
}

TEST_F(ReloadTest, InstancesAndLogLevelComeIntoForce) {
  write(std::string("name = \"Cabin\"\nlog.level = \"debug\"\n") + kTv);
  EXPECT_EQ(reload(), "The settings are read: log.level is 'debug' now; 1 multicast instance.");
  EXPECT_EQ(applied_.at(0).log_level, Level::kDebug);
  EXPECT_EQ(applied_.at(0).multicast.instances.at(0).proxy.name, "tv");
  EXPECT_THAT(reload(), Not(HasSubstr("log.level")));
}

TEST_F(ReloadTest, WhatWaitsForARestartIsNamedEachTime) {
  write("name = \"Hut\"\nnetwork.tunnel_port = 5000\n");
  EXPECT_THAT(reload(), HasSubstr("Only after a restart: name, network.tunnel_port."));
  EXPECT_THAT(reload(), HasSubstr("Only after a restart: name, network.tunnel_port."));
  write("name = \"Cabin\"\n");
  EXPECT_THAT(reload(), Not(HasSubstr("restart")));
}

TEST_F(ReloadTest, ABadFileIsRefusedInWordsAndChangesNothing) {
  for (const auto& [toml, part] : std::initializer_list<std::pair<std::string, const char*>>{
           {"name = ", "not valid TOML"},
           {"nmae = \"x\"", "unknown key nmae"},
           {"[[multicast]]\nupstream = [\"eth0\"]\n", "an instance needs a name"},
           {"[[multicast]]\nname = \"tv\"\nupstream = [\"eth0\"]\ndownstream = [\"eth0\"]\n", "eth0"},
           {std::string(kTv) + kTv, "tv"}}) {
    write(toml);
    const std::string said = reload();
    EXPECT_THAT(said, testing::StartsWith("refused: " + file().string())) << toml;
    EXPECT_THAT(said, HasSubstr(part)) << toml;
  }
  std::filesystem::remove(file());
  EXPECT_THAT(reload(), HasSubstr("refused: cannot read"));
  EXPECT_TRUE(applied_.empty());
}

}  // namespace
}  // namespace hearthcast::app
