#include "tunnelmgr/runtime/settings.hpp"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <fstream>

namespace hearthcast::runtime {
namespace {

using testing::HasSubstr;

struct Example {
  Example() {
    settings.text("name", name, "What it is called.");
    settings.path("state_dir", state_dir, "Where it keeps its state.");
    settings.number("network.tunnel_port", port, 1, 65535, "UDP port of the tunnels.");
    settings.endpoint("http.listen", listen, "Where players connect.");
    settings.flag("network.fast", fast, "Whether it hurries.");
    settings.level("log.level", level, "The least level that is logged.");
    settings.parsed("colour", "red", "red or blue", "Its colour.",
                    [this](const std::string& text) -> std::optional<std::function<void()>> {
                      if (text != "red" && text != "blue") {
                        return std::nullopt;
                      }
                      return [this, text] { colour = text; };
                    });
  }
  std::string problem(const std::string& toml) {
    const auto read = settings.read_text(toml, "box.toml");
    return read ? "" : read.error().text;
  }

  std::string name = "My \"home\"";
  std::filesystem::path state_dir = "/var/lib/x";
  std::uint16_t port = 4755;
  Endpoint listen = *Endpoint::parse("127.0.0.1:8870");
  bool fast = false;
  Level level = Level::kInfo;
  std::string colour = "red";
  Settings settings;
};

TEST(Settings, ReadsEveryKind) {
  Example e;
  EXPECT_EQ(e.problem(R"(
    name = "Attic"
    state_dir = "/tmp/state"
    colour = "blue"
    http.listen = "[::]:80"
    [network]
    tunnel_port = 4000
    fast = true
    [log]
    level = "debug"
  )"),
            "");
  EXPECT_EQ(e.name, "Attic");
  EXPECT_EQ(e.state_dir, "/tmp/state");
  EXPECT_EQ(e.colour, "blue");
  EXPECT_EQ(e.port, 4000);
  EXPECT_EQ(e.listen, *Endpoint::parse("[::]:80"));
  EXPECT_TRUE(e.fast);
  EXPECT_EQ(e.level, Level::kDebug);
}

TEST(Settings, KeepsDefaultsOfAbsentKeys) {
  Example e;
  EXPECT_EQ(e.problem(""), "");
  EXPECT_EQ(e.port, 4755);
  EXPECT_EQ(e.name, "My \"home\"");
}

TEST(Settings, UnknownKeyNamesFileLineAndKeys) {
  Example e;
  EXPECT_THAT(e.problem("\n[network]\ntunel_port = 1\n"),
              testing::AllOf(HasSubstr("box.toml:3: unknown key network.tunel_port"),
                             HasSubstr("network.tunnel_port, http.listen")));
  EXPECT_THAT(e.problem("[netwrok]\n"), HasSubstr("unknown key netwrok"));
  EXPECT_THAT(e.problem("network = 3\n"), HasSubstr("unknown key network"));
}

TEST(Settings, BadValueNamesValueAndAcceptedForm) {
  Example e;
  EXPECT_EQ(e.problem("[network]\ntunnel_port = 70000\n"),
            "box.toml:2: network.tunnel_port = 70000 is not accepted; it takes a number from 1 to 65535");
  for (const auto& [toml, part] : std::initializer_list<std::pair<const char*, const char*>>{
           {"network.tunnel_port = 0", "from 1 to 65535"},
           {"network.tunnel_port = \"4755\"", "from 1 to 65535"},
           {"network.tunnel_port = 4755.0", "from 1 to 65535"},
           {"network.fast = 1", "true or false"},
           {"name = 3", "a text in quotes"},
           {"name = [\"a\"]", "a text in quotes"},
           {"name = 2020-01-01", "a text in quotes"},
           {"name.first = \"a\"", "a text in quotes"},
           {"state_dir = \"relative\"", "starts with /"},
           {"http.listen = \"localhost:80\"", "an address and a port"},
           {"log.level = \"loud\"", "\"warning\""},
           {"colour = \"green\"", "red or blue"}}) {
    EXPECT_THAT(e.problem(toml), HasSubstr(part)) << toml;
  }
}

TEST(Settings, NothingChangesWhenAnythingIsWrong) {
  Example e;
  EXPECT_NE(e.problem("name = \"Attic\"\n[network]\ntunnel_port = -1\n"), "");
  EXPECT_EQ(e.name, "My \"home\"");
}

TEST(Settings, BadTomlNamesTheLine) {
  Example e;
  EXPECT_THAT(e.problem("name = \"a\"\nname = \"b\"\n"), HasSubstr("box.toml:2: not valid TOML"));
  EXPECT_THAT(e.problem("[[[\n"), HasSubstr("box.toml:1: not valid TOML"));
}

TEST(Settings, SampleSaysEverythingAndReadsAsTheDefaults) {
  Example e;
  const std::string sample = e.settings.sample();
  EXPECT_THAT(sample, HasSubstr("# UDP port of the tunnels.\ntunnel_port = 4755\n"));
  EXPECT_THAT(sample, HasSubstr("[network]\n"));
  Example other;
  other.name = "";
  other.port = 1;
  other.fast = true;
  other.level = Level::kError;
  EXPECT_EQ(other.problem(sample), "");
  EXPECT_EQ(other.name, e.name);
  EXPECT_EQ(other.port, e.port);
  EXPECT_EQ(other.fast, e.fast);
  EXPECT_EQ(other.level, e.level);
}

TEST(Settings, ReadsAFileOrSaysWhyNot) {
  Example e;
  std::string name = (std::filesystem::temp_directory_path() / "settings-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(name.data());
  std::ofstream(folder / "a.toml") << "name = \"file\"\n";
  EXPECT_TRUE(e.settings.read(folder / "a.toml"));
  EXPECT_EQ(e.name, "file");
  for (const auto& unreadable : {folder / "absent.toml", folder}) {
    const auto read = e.settings.read(unreadable);
    ASSERT_FALSE(read);
    EXPECT_THAT(read.error().text, HasSubstr("--config"));
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace hearthcast::runtime
