// The operator's subcommands as CLI11 reads them.
#pragma once

#include <functional>
#include <string>

#include "rendezvous-server/app/settings.hpp"

namespace CLI {
class App;
}

namespace hearthcast::rendezvous {

// What was chosen on the command line, to be run once the settings are read; empty: none of these.
using Chosen = std::function<int(const AppSettings&)>;

// Each declares what stands below its subcommand. `chosen` outlives the parsing.
void declare_box(CLI::App& box, Chosen& chosen);
void declare_owner(CLI::App& owner, Chosen& chosen);
void declare_token(CLI::App& token, Chosen& chosen);
void declare_drain(CLI::App& drain, Chosen& chosen);
void declare_resume(CLI::App& resume, Chosen& chosen);
void declare_backup(CLI::App& backup, Chosen& chosen);
void declare_restore(CLI::App& restore, Chosen& chosen);

}  // namespace hearthcast::rendezvous
