// The subcommands of hearthcast-away that ask the running one over its control socket. Each prints for
// people, or with `json` what the program answered, and returns the exit code.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace hearthcast::away {

struct PairArguments {
  std::string link;  // or a code
  std::string rendezvous;
  std::string pin;
};

[[nodiscard]] int ask_status(const std::filesystem::path& socket, bool json);
[[nodiscard]] int ask_channels(const std::filesystem::path& socket, bool json);
// Where the box is to be found: prints what is known. With `change`, `addresses` first take the place of what
// was said before.
[[nodiscard]] int ask_reach(const std::filesystem::path& socket, const std::vector<std::string>& addresses,
                            bool change, bool json);
// Another rendezvous introduces from now on.
[[nodiscard]] int ask_rendezvous(const std::filesystem::path& socket, const std::string& url,
                                 const std::string& pin, bool json);
[[nodiscard]] int ask_pair(const std::filesystem::path& socket, const PairArguments& arguments, bool json);

}  // namespace hearthcast::away
