// Every default is in one place: what a program prints as its sample is the documented file that its package
// installs, and the program takes that file.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

namespace {

struct Output {
  std::string text;
  int status = -1;
};

Output run(const std::string& command) {
  Output output;
  FILE* pipe = popen((std::string(HEARTHCAST_BIN) + "/" + command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) {
    return output;
  }
  std::array<char, 4096> chunk{};
  while (const std::size_t size = fread(chunk.data(), 1, chunk.size(), pipe)) {
    output.text.append(chunk.data(), size);
  }
  output.status = pclose(pipe);
  return output;
}

std::string file(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

class SampleSettings : public testing::TestWithParam<const char*> {};

TEST_P(SampleSettings, AreWhatTheProgramPrints) {
  const std::string program = GetParam();
  const Output sample = run("hearthcast-" + program + " sample-settings");
  ASSERT_EQ(sample.status, 0) << sample.text;
  EXPECT_EQ(sample.text, file("packaging/settings/" + program + ".toml"))
      << "write it anew: build/bin/hearthcast-" << program << " sample-settings > packaging/settings/"
      << program << ".toml";
}

TEST_P(SampleSettings, AWrongKeyIsNamedWithItsFile) {
  const std::string program = GetParam();
  const std::string path = testing::TempDir() + "wrong-" + program + ".toml";
  std::ofstream(path) << "no_such_setting = 1\n";
  const Output refused = run("hearthcast-" + program + " run --config " + path);
  EXPECT_EQ(refused.status, 2 << 8) << refused.text;
  EXPECT_NE(refused.text.find("no_such_setting"), std::string::npos) << refused.text;
  EXPECT_NE(refused.text.find(path), std::string::npos) << refused.text;
  std::remove(path.c_str());
}

TEST_P(SampleSettings, VersionAndHelpAreThere) {
  const std::string program = std::string("hearthcast-") + GetParam();
  EXPECT_EQ(run(program + " --version").text, program + " " HEARTHCAST_VERSION "\n");
  const Output help = run(program + " --help");
  EXPECT_EQ(help.status, 0);
  for (const char* option : {"--config", "--state-dir", "--control-socket"}) {
    EXPECT_NE(help.text.find(option), std::string::npos) << option;
  }
  EXPECT_EQ(run(program + " no-such-command").status, 2 << 8);
}

INSTANTIATE_TEST_SUITE_P(Programs, SampleSettings, testing::Values("box", "away", "rendezvous"),
                         [](const auto& program) { return std::string(program.param); });

}  // namespace
