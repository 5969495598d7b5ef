// hearthcast-rendezvous: introduces boxes and devices to each other.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "rendezvous-server/app/operator_cli.hpp"
#include "rendezvous-server/app/run.hpp"
#include "tunnelmgr/runtime/exit_code.hpp"

namespace {

using namespace hearthcast;

constexpr const char* kDefaultConfig = "/etc/hearthcast/rendezvous.toml";

// The settings file, if it is there or was asked for, and then the options over it. False after saying why
// not.
bool load(rendezvous::AppSettings& settings, const std::string& config, const std::string& state_dir,
          const std::string& control_socket) {
  const bool asked = !config.empty();
  std::error_code unknown;
  if (asked || std::filesystem::exists(kDefaultConfig, unknown)) {
    const auto read = rendezvous::declare(settings).read(asked ? config : kDefaultConfig);
    if (!read) {
      std::fprintf(stderr, "hearthcast-rendezvous: %s\n", read.error().text.c_str());
      return false;
    }
  }
  if (!state_dir.empty()) {
    settings.state_dir = state_dir;
  }
  if (!control_socket.empty()) {
    settings.control_socket = control_socket;
  }
  return true;
}

int dispatch(int argc, char** argv) {
  CLI::App app(
      "Introduces Hearthcast boxes and devices to each other. It sees who talks to whom, and nothing else.",
      "hearthcast-rendezvous");
  std::string config;
  std::string state_dir;
  std::string control_socket;
  bool json = false;
  app.set_version_flag("--version", "hearthcast-rendezvous " HEARTHCAST_VERSION);
  app.add_option("--config", config, std::string("Settings file (default ") + kDefaultConfig + ")");
  app.add_option("--state-dir", state_dir, "Folder of key and database, instead of the settings'");
  app.add_option("--control-socket", control_socket,
                 "Socket of the running program, instead of the settings'");
  app.require_subcommand(0, 1);
  app.fallthrough();
  app.add_subcommand("run", "Run in the foreground (also without a command)");
  CLI::App* const pin = app.add_subcommand("pin", "Print the SHA-256 of the server's key, which clients pin");
  CLI::App* const status = app.add_subcommand("status", "Print who is connected and what was done");
  status->add_flag("--json", json, "As JSON");
  rendezvous::Chosen chosen;
  rendezvous::declare_box(*app.add_subcommand("box", "List, name, move, close and open boxes"), chosen);
  rendezvous::declare_owner(*app.add_subcommand("owner", "Say whose boxes are whose"), chosen);
  rendezvous::declare_token(*app.add_subcommand("token", "Make, list and revoke enrolment tokens"), chosen);
  rendezvous::declare_drain(*app.add_subcommand("drain", "Send all clients away, gently, before a restart"),
                            chosen);
  rendezvous::declare_resume(*app.add_subcommand("resume", "Let clients in again after drain"), chosen);
  rendezvous::declare_backup(*app.add_subcommand("backup", "Copy database and key of the running rendezvous"),
                             chosen);
  rendezvous::declare_restore(*app.add_subcommand("restore", "Put a backup in place of a stopped one's"),
                              chosen);
  CLI::App* const sample =
      app.add_subcommand("sample-settings", "Print a settings file with every key and its default");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? runtime::kFine : runtime::kWrongUsage;
  }
  rendezvous::AppSettings settings;
  if (*sample) {
    std::fputs(rendezvous::declare(settings).sample().c_str(), stdout);
    return runtime::kFine;
  }
  if (!load(settings, config, state_dir, control_socket)) {
    return runtime::kWrongUsage;
  }
  if (chosen) {
    return chosen(settings);
  }
  if (*pin) {
    return rendezvous::print_pin(settings);
  }
  return *status ? rendezvous::print_status(settings, json) : rendezvous::run(settings);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return dispatch(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hearthcast-rendezvous: %s\n", error.what());
    return runtime::kFailed;
  }
}
