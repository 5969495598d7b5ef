// Where a device at home finds the box's HTTPS API.
#pragma once

#include <vector>

#include "tunnelmgr/base/address.hpp"

namespace hearthcast::app {

// The listener's own address when it has one; else those of all running interfaces, private IPv4 first, since
// a phone on the same Wi-Fi tries them in this order. Loopback and link-local ones are left out.
[[nodiscard]] std::vector<Endpoint> own_addresses(const Endpoint& listening);

}  // namespace hearthcast::app
