// The exit codes of every program and subcommand.
#pragma once

namespace hearthcast::runtime {

enum ExitCode : int {
  kFine = 0,
  kFailed = 1,
  kWrongUsage = 2,  // options or settings
  kNotRunning = 3,  // a subcommand found no program behind the control socket
  kRefused = 4,     // the running program refused
};

}  // namespace hearthcast::runtime
