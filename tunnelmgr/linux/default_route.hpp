// The way out of this network: which interface, and which router.
#pragma once

#include <optional>

#include "tunnelmgr/base/address.hpp"

namespace hearthcast::linux {

struct DefaultRoute {
  unsigned interface_index = 0;
  std::optional<IpAddress> gateway;  // none on a link without a router, as a point-to-point one
};

// The main table's best default route of that family; nullopt without one.
[[nodiscard]] std::optional<DefaultRoute> default_route(Family family);

}  // namespace hearthcast::linux
