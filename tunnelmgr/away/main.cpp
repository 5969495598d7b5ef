// hearthcast-away: watch the channels of the box at home.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "tunnelmgr/away/commands.hpp"
#include "tunnelmgr/away/run.hpp"
#include "tunnelmgr/runtime/exit_code.hpp"

namespace {

using namespace hearthcast;

constexpr const char* kConfig = "/etc/hearthcast/away.toml";

int dispatch(int argc, char** argv) {
  CLI::App app{"Watch the channels of your box at home from here."};
  app.set_version_flag("--version", "hearthcast-away " HEARTHCAST_VERSION);
  std::filesystem::path config = kConfig;
  std::filesystem::path state_dir;
  std::filesystem::path control_socket;
  bool json = false;
  away::PairArguments pairing;
  std::string code;
  app.add_option("--config", config, "settings file")->capture_default_str();
  app.add_option("--state-dir", state_dir, "instead of the settings' state_dir");
  app.add_option("--control-socket", control_socket, "instead of the settings' control_socket");
  bool tun = false;
  app.add_flag("--tun", tun, "with run: make a network interface with the channels as multicast (tun.on)");
  app.fallthrough();
  app.require_subcommand(0, 1);
  app.add_subcommand("run", "run in the foreground (also without a subcommand)");
  auto* sample =
      app.add_subcommand("sample-settings", "print a settings file with every key and its default");
  auto* status = app.add_subcommand("status", "what the running client is doing");
  auto* channels = app.add_subcommand("channels", "the channels that this device may watch");
  auto* pair = app.add_subcommand("pair", "pair with a box: by its link, or by a typed code");
  auto* reach = app.add_subcommand("reach", "where the box is to be found; ADDRESS...: say it yourself");
  std::vector<std::string> addresses;
  bool forget = false;
  auto* said = reach->add_option("address", addresses,
                                 "HOST or HOST:PORT of the box, instead of what was said before");
  reach->add_flag("--forget", forget, "forget what was said")->excludes(said);
  auto* rendezvous = app.add_subcommand("rendezvous", "let another rendezvous introduce to the box");
  std::string rendezvous_url;
  std::string rendezvous_pin = "webpki";
  rendezvous->add_option("url", rendezvous_url, "wss://HOST[:PORT]/v1")->required();
  rendezvous->add_option("--pin", rendezvous_pin, "its key: 64 hexadecimal digits, or webpki")
      ->capture_default_str();
  for (auto* asking : {status, channels, pair, reach, rendezvous}) {
    asking->add_flag("--json", json, "print the answer as JSON");
  }
  auto* link = pair->add_option("link", pairing.link, "hearthcast://pair#...");
  pair->add_option("--code", code, "20 symbols, instead of a link")->excludes(link);
  pair->add_option("--rendezvous", pairing.rendezvous, "wss://HOST[:PORT]/v1; needed with a code");
  pair->add_option("--pin", pairing.pin, "the rendezvous' key: 64 hexadecimal digits, or webpki");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? runtime::kFine : runtime::kWrongUsage;
  }

  away::AwaySettings settings;
  const auto declared = away::declare(settings);
  if (sample->parsed()) {
    std::cout << declared.sample();
    return runtime::kFine;
  }
  // Without a file the defaults hold; one that was asked for must be there.
  std::error_code ignored;
  if (config != kConfig || std::filesystem::exists(config, ignored)) {
    if (const auto read = declared.read(config); !read) {
      std::cerr << "hearthcast-away: " << read.error().text << "\n";
      return runtime::kWrongUsage;
    }
  }
  if (!state_dir.empty()) {
    settings.state_dir = state_dir;
  }
  if (!control_socket.empty()) {
    settings.control_socket = control_socket;
  }
  settings.tun_on = settings.tun_on || tun;
  if (status->parsed()) {
    return away::ask_status(settings.control_socket, json);
  }
  if (channels->parsed()) {
    return away::ask_channels(settings.control_socket, json);
  }
  if (reach->parsed()) {
    return away::ask_reach(settings.control_socket, addresses, forget || !addresses.empty(), json);
  }
  if (rendezvous->parsed()) {
    return away::ask_rendezvous(settings.control_socket, rendezvous_url, rendezvous_pin, json);
  }
  if (pair->parsed()) {
    pairing.link = code.empty() ? pairing.link : code;
    if (pairing.link.empty()) {
      std::cerr << "hearthcast-away: say the link that the box shows, or --code CODE --rendezvous URL\n";
      return runtime::kWrongUsage;
    }
    return away::ask_pair(settings.control_socket, pairing, json);
  }
  return away::run(settings);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return dispatch(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "hearthcast-away: " << error.what() << "\n";
    return runtime::kFailed;
  }
}
