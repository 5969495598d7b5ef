// What one end of a tunnel wants: a multicast group, from one source or from any.
#pragma once

#include <optional>
#include <string>

#include "tunnelmgr/base/address.hpp"

namespace hearthcast::membership {

struct Subscription {
  std::optional<IpAddress> source;  // nullopt: any source
  IpAddress group;

  [[nodiscard]] std::string to_string() const {
    return (source ? source->to_string() + "@" : std::string()) + group.to_string();
  }
  friend auto operator<=>(const Subscription&, const Subscription&) = default;
};

}  // namespace hearthcast::membership
