#include "tests/sim/nat_router.hpp"

#include <algorithm>

namespace hearthcast::sim {

bool NatRouter::owns(const IpAddress& address) const {
  return kind_.translates
             ? address == public_address_
             : address.is_ip6() && equal(address.bytes().first(8), public_address_.bytes().first(8));
}

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
  if (!kind_.translates) {
    return wanted;
  }
  // A cone keeps the port where it can; one that maps per destination draws it, as masquerade fully-random
  // does.
  std::uint16_t port = wanted;
  while (!keeps_ports_ || kind_.mapping != Mapping::kEndpointIndependent ||
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

void NatRouter::rebind() {
  mappings_.clear();
  keeps_ports_ = false;
}

void NatRouter::renumber(const IpAddress& public_address) {
  mappings_.clear();
  public_address_ = public_address;
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
  return kind_.translates ? Endpoint{public_address_, row->port} : inside;
}

NatRouter::Row* NatRouter::row_of(const Endpoint& to) {
  const auto row = std::ranges::find_if(
      mappings_, [&](const Row& r) { return kind_.translates ? r.port == to.port : r.inside == to; });
  return row == mappings_.end() ? nullptr : &*row;
}

std::optional<Endpoint> NatRouter::inbound(const Endpoint& from, const Endpoint& to, Time now) {
  forget_old(now);
  const Row* row = row_of(to);
  if (row == nullptr) {
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
