// The client's state for people and programs.
#pragma once

#include <string>

#include "tunnelmgr/away/client.hpp"

namespace hearthcast::away {

[[nodiscard]] std::string status_json(const Client& client);
[[nodiscard]] std::string channels_json(const Client& client);
// Lines of text; the same facts.
[[nodiscard]] std::string status_text(const Client& client);

}  // namespace hearthcast::away
