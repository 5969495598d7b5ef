// What tunnels get under TunnelPolicy::kChosen: a channel that the owner carries.
#pragma once

#include <compare>
#include <optional>

#include "tunnelmgr/base/address.hpp"

namespace hearthcast::proxy {

struct Channel {
  IpAddress group;
  std::optional<IpAddress> source = {};  // nullopt: from any
  friend auto operator<=>(const Channel&, const Channel&) = default;
};

}  // namespace hearthcast::proxy
