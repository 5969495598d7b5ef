// The calls of the kernel's two multicast routing interfaces (linux/mroute.h, linux/mroute6.h) in one shape.
// A "place" is the kernel's number of an interface in the table of that socket: vif or mif, 0 to 31.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "tunnelmgr/base/address.hpp"

namespace hearthcast::linux {

inline constexpr unsigned kPlaces = 32;

// Hop limits that packets must exceed, by place; kNowhere: not sent out there.
using Thresholds = std::array<std::uint8_t, kPlaces>;
inline constexpr std::uint8_t kNowhere = 255;

// False: errno says why.
[[nodiscard]] bool kernel_add_interface(int fd, Family family, unsigned place, unsigned interface_index);
void kernel_remove_interface(int fd, Family family, unsigned place);

// source: unspecified for any. IPv6 takes every threshold below kNowhere for 1. Replaces a route of the same
// source and group.
[[nodiscard]] bool kernel_put_route(int fd, const IpAddress& source, const IpAddress& group, unsigned input,
                                    const Thresholds& outputs);
void kernel_remove_route(int fd, const IpAddress& source, const IpAddress& group);

struct KernelRouteCounters {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t wrong_interface = 0;
};
[[nodiscard]] std::optional<KernelRouteCounters> kernel_route_counters(int fd, const IpAddress& source,
                                                                       const IpAddress& group);
struct KernelInterfaceCounters {
  std::uint64_t packets_in = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t packets_out = 0;
  std::uint64_t bytes_out = 0;
};
[[nodiscard]] std::optional<KernelInterfaceCounters> kernel_interface_counters(int fd, Family family,
                                                                               unsigned place);

}  // namespace hearthcast::linux
