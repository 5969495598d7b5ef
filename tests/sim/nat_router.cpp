#include "tests/sim/nat_router.hpp"

#include <algorithm>

namespace hearthcast::sim {

Endpoint NatRouter::mapping_key(const Endpoint& to) const {
  switch (kind_.mapping) {
    case Mapping::kEndpointIndependent:
      return {};
    case Mapping::kAddressDependent:
      return {to.address, 0};
    case Mapping::kAddressAndPortDependent:
      return to;
  }
  return {};
}

std::uint16_t NatRouter::pick_port(std::uint16_t wanted) {
  // A cone keeps the port where it can; one that maps per destination draws it, as masquerade fully-random
  // does.
  std::uint16_t port = wanted;
  while (kind_.mapping != Mapping::kEndpointIndependent ||
         std::ranges::count(mappings_, port, &Row::port) > 0) {
    port = static_cast<std::uint16_t>(1024 + generator_() % 64000);
    if (std::ranges::count(mappings_, port, &Row::port) == 0) {
      break;
    }
  }
  return port;
}

void NatRouter::forget_old(Time now) {
  for (Row& row : mappings_) {
    std::erase_if(row.flows, [&](const auto& flow) { return now - flow.second >= kind_.timeout; });
  }
  std::erase_if(mappings_, [](const Row& row) { return row.flows.empty(); });
}

Endpoint NatRouter::outbound(const Endpoint& inside, const Endpoint& to, Time now) {
  forget_old(now);
  const Endpoint towards = mapping_key(to);
  auto row = std::ranges::find_if(mappings_,
                                  [&](const Row& r) { return r.inside == inside && r.towards == towards; });
  if (row == mappings_.end()) {
    ++made_;
    mappings_.push_back({inside, towards, pick_port(inside.port), {}});
    row = mappings_.end() - 1;
  }
  row->flows[to] = now;
  return {public_address_, row->port};
}

std::optional<Endpoint> NatRouter::inbound(const Endpoint& from, const Endpoint& to, Time now) {
  forget_old(now);
  const auto row = std::ranges::find(mappings_, to.port, &Row::port);
  if (row == mappings_.end()) {
    return std::nullopt;
  }
  const bool open = kind_.filtering == Filtering::kEndpointIndependent ||
                    std::ranges::any_of(row->flows, [&](const auto& flow) {
                      return kind_.filtering == Filtering::kAddressDependent
                                 ? flow.first.address == from.address
                                 : flow.first == from;
                    });
  return open ? std::optional(row->inside) : std::nullopt;
}

}  // namespace hearthcast::sim
