// The subcommands that take a box elsewhere: `export` asks the running box, `restore` needs that none runs.
// Both read the passphrase from standard input, and return an exit code (runtime/exit_code.hpp).
#pragma once

#include <filesystem>

namespace hearthcast::app {

struct Mover {
  std::filesystem::path control_socket;
  std::filesystem::path state_dir;
  std::filesystem::path file;
  bool force = false;  // over what is there already
};

[[nodiscard]] int export_box(const Mover& mover);
[[nodiscard]] int restore_box(const Mover& mover);

}  // namespace hearthcast::app
