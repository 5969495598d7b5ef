// A request to the running rendezvous, over its control socket. Includes nlohmann's header: for few files.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "rendezvous-server/app/settings.hpp"
#include "tunnelmgr/runtime/exit_code.hpp"

namespace hearthcast::rendezvous {

// Fills in the answer. Anything but kFine: there is none, and why has been said on standard error.
[[nodiscard]] int ask(const AppSettings& settings, const std::string& method, const std::string& path,
                      const nlohmann::json& body, nlohmann::json& answer);

}  // namespace hearthcast::rendezvous
