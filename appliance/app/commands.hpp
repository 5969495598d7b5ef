// The subcommands of hearthcast-box: each asks the running box, prints the answer for people or as JSON, and
// returns an exit code (runtime/exit_code.hpp).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace hearthcast::app {

struct Asker {
  std::filesystem::path control_socket;
  bool json = false;  // print what the box answered, unchanged
};

[[nodiscard]] int show_status(const Asker& asker);
[[nodiscard]] int show_setup_code(const Asker& asker);
[[nodiscard]] int change_password(const Asker& asker);  // the new one comes from standard input

[[nodiscard]] int show_channels(const Asker& asker);
[[nodiscard]] int rename_channel(const Asker& asker, std::int64_t channel, const std::string& name);
[[nodiscard]] int remove_channel(const Asker& asker, std::int64_t channel);
[[nodiscard]] int import_file(const Asker& asker, const std::string& file);  // "-": standard input

[[nodiscard]] int open_pairing(const Asker& asker);
[[nodiscard]] int show_pairings(const Asker& asker);
[[nodiscard]] int close_pairings(const Asker& asker);

[[nodiscard]] int show_devices(const Asker& asker);
// channels: "all", ids separated by commas, or empty to leave them as they are.
[[nodiscard]] int approve(const Asker& asker, std::int64_t device, const std::string& channels);
[[nodiscard]] int grant(const Asker& asker, std::int64_t device, const std::string& channels);
// hosts: separated by commas, or "none".
[[nodiscard]] int set_home_hosts(const Asker& asker, std::int64_t device, const std::string& hosts);
[[nodiscard]] int rename_device(const Asker& asker, std::int64_t device, const std::string& name);
[[nodiscard]] int revoke(const Asker& asker, std::int64_t device);
[[nodiscard]] int forget(const Asker& asker, std::int64_t device);
[[nodiscard]] int make_lan_link(const Asker& asker, std::int64_t device);
[[nodiscard]] int drop_lan_link(const Asker& asker, std::int64_t device);

[[nodiscard]] int show_viewers(const Asker& asker);
[[nodiscard]] int show_peers(const Asker& asker);
[[nodiscard]] int show_multicast(const Asker& asker);
[[nodiscard]] int reload(const Asker& asker);

}  // namespace hearthcast::app
