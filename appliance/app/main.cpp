// hearthcast-box: carries the channels of the network at home to registered devices anywhere.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "appliance/app/box_settings.hpp"
#include "appliance/app/commands.hpp"
#include "appliance/app/move_commands.hpp"
#include "appliance/app/run.hpp"
#include "tunnelmgr/runtime/exit_code.hpp"

namespace {

using namespace hearthcast;

constexpr const char* kConfig = "/etc/hearthcast/box.toml";

constexpr std::int64_t kLargestId = 9007199254740991;  // as openapi.yaml has it

// What the command line says beside the subcommand.
struct Arguments {
  std::filesystem::path config = kConfig;
  std::filesystem::path state_dir;
  std::filesystem::path control_socket;
  bool json = false;
  std::int64_t device = 0;
  std::int64_t channel = 0;
  std::string name;
  std::string channels;
  std::string hosts;
  std::string file;
  bool revoke = false;
};

// Subcommands that ask the running box.
struct Command {
  const char* name;
  const char* meaning;
  int (*run)(const app::Asker&, const Arguments&);
  std::int64_t Arguments::*number = nullptr;  // of what it is about, when it asks for one
};

constexpr Command kCommands[] = {
    {"status", "how the box is doing",
     [](const app::Asker& a, const Arguments&) { return app::show_status(a); }},
    {"setup-code", "the code that the first start asks for",
     [](const app::Asker& a, const Arguments&) { return app::show_setup_code(a); }},
    {"password", "set the owner's password anew; reads it from standard input",
     [](const app::Asker& a, const Arguments&) { return app::change_password(a); }},
    {"channels", "the catalogue, and what each channel does now",
     [](const app::Asker& a, const Arguments&) { return app::show_channels(a); }},
    {"rename-channel", "give a channel another name",
     [](const app::Asker& a, const Arguments& given) {
       return app::rename_channel(a, given.channel, given.name);
     },
     &Arguments::channel},
    {"remove-channel", "take a channel out of the catalogue and every device's list",
     [](const app::Asker& a, const Arguments& given) { return app::remove_channel(a, given.channel); },
     &Arguments::channel},
    {"import", "take the channels of an M3U playlist",
     [](const app::Asker& a, const Arguments& given) { return app::import_file(a, given.file); }},
    {"pair", "let one device in: prints a link, a QR code and a code to type",
     [](const app::Asker& a, const Arguments&) { return app::open_pairing(a); }},
    {"pairings", "the open pairing, if there is one",
     [](const app::Asker& a, const Arguments&) { return app::show_pairings(a); }},
    {"close-pairings", "close what `pair` opened, before its time is over",
     [](const app::Asker& a, const Arguments&) { return app::close_pairings(a); }},
    {"devices", "every paired device",
     [](const app::Asker& a, const Arguments&) { return app::show_devices(a); }},
    {"approve", "let a paired device watch",
     [](const app::Asker& a, const Arguments& given) {
       return app::approve(a, given.device, given.channels);
     },
     &Arguments::device},
    {"grant", "say which channels a device may watch",
     [](const app::Asker& a, const Arguments& given) { return app::grant(a, given.device, given.channels); },
     &Arguments::device},
    {"home-hosts", "say where in the home network a device may go through its tunnel, over TCP",
     [](const app::Asker& a, const Arguments& given) {
       return app::set_home_hosts(a, given.device, given.hosts);
     },
     &Arguments::device},
    {"lan-link", "an address by which players at home watch as this device; makes it anew",
     [](const app::Asker& a, const Arguments& given) {
       return given.revoke ? app::drop_lan_link(a, given.device) : app::make_lan_link(a, given.device);
     },
     &Arguments::device},
    {"rename", "give a device another name",
     [](const app::Asker& a, const Arguments& given) {
       return app::rename_device(a, given.device, given.name);
     },
     &Arguments::device},
    {"viewers", "who watches what now",
     [](const app::Asker& a, const Arguments&) { return app::show_viewers(a); }},
    {"reload", "read the settings file anew and apply what can change at run time",
     [](const app::Asker& a, const Arguments&) { return app::reload(a); }},
    {"peers", "routers and hosts of the settings, on tunnels that are not encrypted",
     [](const app::Asker& a, const Arguments&) { return app::show_peers(a); }},
    {"multicast", "the multicast plane: instances, listeners, streams, and what is wrong in words",
     [](const app::Asker& a, const Arguments&) { return app::show_multicast(a); }},
    {"revoke", "take a device's permission away, at once",
     [](const app::Asker& a, const Arguments& given) { return app::revoke(a, given.device); },
     &Arguments::device},
    {"forget", "revoke a device and remove all that is known of it; to come back it has to pair again",
     [](const app::Asker& a, const Arguments& given) { return app::forget(a, given.device); },
     &Arguments::device},
};

int dispatch(int argc, char** argv) {
  CLI::App cli{"Carries your channels at home to your registered devices anywhere."};
  cli.set_version_flag("--version", "hearthcast-box " HEARTHCAST_VERSION);
  Arguments given;
  cli.add_option("--config", given.config, "settings file")->capture_default_str();
  cli.add_option("--state-dir", given.state_dir, "instead of the settings' state_dir");
  cli.add_option("--control-socket", given.control_socket, "instead of the settings' control_socket");
  cli.fallthrough();
  cli.require_subcommand(0, 1);
  cli.add_subcommand("run", "run in the foreground (also without a subcommand)");
  auto* sample =
      cli.add_subcommand("sample-settings", "print a settings file with every key and its default");
  for (const Command& command : kCommands) {
    auto* sub = cli.add_subcommand(command.name, command.meaning);
    sub->add_flag("--json", given.json, "print the answer as JSON");
    if (command.number != nullptr) {
      const bool of_device = command.number == &Arguments::device;
      sub->add_option(of_device ? "device" : "channel", given.*command.number,
                      of_device ? "its number, as `devices` shows it" : "its number, as `channels` shows it")
          ->required()
          ->check(CLI::Range(std::int64_t{1}, kLargestId));
    }
  }
  bool force = false;
  auto* exporting =
      cli.add_subcommand("export", "write the box into a file, sealed by a passphrase from standard input");
  auto* restoring =
      cli.add_subcommand("restore", "make the box of an exported file live here; none may be running");
  for (auto* moving : {exporting, restoring}) {
    moving->add_option("file", given.file, "the exported box")->required();
    moving->add_flag("--force", force, "also over what is there already");
  }
  cli.get_subcommand("multicast")->add_subcommand("show", "print it (also without `show`)")->fallthrough();
  cli.get_subcommand("import")
      ->add_option("file", given.file, "the playlist; - is standard input")
      ->required();
  for (const char* renaming : {"rename", "rename-channel"}) {
    cli.get_subcommand(renaming)->add_option("name", given.name, "the new one")->required();
  }
  cli.get_subcommand("approve")->add_option("--channels", given.channels, "all, or numbers as 1,2,5");
  cli.get_subcommand("lan-link")->add_flag("--revoke", given.revoke, "take it away instead");
  cli.get_subcommand("home-hosts")
      ->add_option("hosts", given.hosts, "none, or as 192.168.1.50,192.168.1.0/24:80,[fd00::5]:8000-8100")
      ->required();
  cli.get_subcommand("grant")
      ->add_option("channels", given.channels, "all, none, or numbers as 1,2,5")
      ->required();
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? runtime::kFine : runtime::kWrongUsage;
  }

  app::BoxSettings settings;
  if (sample->parsed()) {
    std::cout << app::declare(settings).sample();
    return runtime::kFine;
  }
  // Without a file the defaults hold; one that was asked for must be there.
  std::error_code unknown;
  if (given.config != kConfig || std::filesystem::exists(given.config, unknown)) {
    const auto read = app::read_settings(given.config);
    if (!read) {
      std::cerr << "hearthcast-box: " << read.error().text << "\n";
      return runtime::kWrongUsage;
    }
    settings = *read;
  }
  const app::BoxSettings in_file = settings;
  settings.state_dir = given.state_dir.empty() ? settings.state_dir : given.state_dir;
  settings.control_socket = given.control_socket.empty() ? settings.control_socket : given.control_socket;
  const app::Mover mover{settings.control_socket, settings.state_dir, given.file, force};
  if (exporting->parsed()) {
    return app::export_box(mover);
  }
  if (restoring->parsed()) {
    return app::restore_box(mover);
  }
  for (const Command& command : kCommands) {
    if (cli.got_subcommand(command.name)) {
      return command.run({settings.control_socket, given.json}, given);
    }
  }
  return app::run(settings, in_file, given.config);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return dispatch(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "hearthcast-box: " << error.what() << "\n";
    return runtime::kFailed;
  }
}
