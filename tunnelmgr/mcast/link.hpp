// Which interface a command uses.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tunnelmgr/linux/interfaces.hpp"

namespace hearthcast::mcast {

// By name or number when one is given; else that of the default route, else the only one that is up and does
// multicast. Refused with words that list the choices.
[[nodiscard]] Result<linux::Interface, Failure> pick_interface(const std::vector<linux::Interface>& all,
                                                               const std::string& wanted,
                                                               std::optional<unsigned> default_route);

// The same of this machine, now.
[[nodiscard]] Result<linux::Interface, Failure> choose_interface(const std::string& wanted, Family family);

}  // namespace hearthcast::mcast
