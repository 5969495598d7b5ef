// What the multicast proxy knows of a group, as the answer to a traceroute: where it comes in, who is above,
// how many packets there were, and why nothing flows.
#pragma once

#include <functional>
#include <span>

#include "appliance/proxy/status.hpp"
#include "tunnelmgr/linux/interfaces.hpp"
#include "tunnelmgr/trace/responder.hpp"

namespace hearthcast::trace {

// Views the interfaces; asks for the state only when a route is asked for, since it costs system calls.
class TraceRoutes final : public RouteLookup {
 public:
  TraceRoutes(std::span<const linux::Interface> interfaces, std::function<proxy::Status()> status)
      : interfaces_(interfaces), status_(std::move(status)) {}

  // Only downstream links on which this box is querier have a last hop here.
  [[nodiscard]] std::optional<RouteFacts> route(const IpAddress& group,
                                                const std::optional<IpAddress>& source,
                                                std::uint32_t interface_index) const override;
  [[nodiscard]] bool on_link(std::uint32_t interface_index, const IpAddress& address) const override;

 private:
  [[nodiscard]] std::optional<IpAddress> address_on(std::uint32_t interface_index, Family family) const;

  std::span<const linux::Interface> interfaces_;
  std::function<proxy::Status()> status_;
};

}  // namespace hearthcast::trace
