// The few settings of the machine (sysctls) that the multicast plane reads and may change, and nothing else.
#pragma once

#include <cstdint>
#include <string>

#include "tunnelmgr/linux/failure.hpp"

namespace hearthcast::linux {

enum class MachineSetting : std::uint8_t {
  kIgmpMaxMemberships = 1,  // net.ipv4.igmp_max_memberships: IPv4 groups per socket
  kIgmpMaxSources = 2,      // net.ipv4.igmp_max_msf: sources per IPv4 group and socket
  kMldMaxSources = 3,      // net.ipv6.mld_max_msf: the same for IPv6; only where the machine's own network is
  kReversePathFilter = 4,  // net.ipv4.conf.X.rp_filter of one interface: 0 off, 1 strict, 2 loose
};

// What may be written, both included.
struct SettingRange {
  std::uint32_t least = 0;
  std::uint32_t most = 0;
};
[[nodiscard]] SettingRange allowed(MachineSetting setting);
[[nodiscard]] std::string name_of(MachineSetting setting);  // net.ipv4.igmp_max_msf; X for the interface
[[nodiscard]] bool is_per_interface(MachineSetting setting);

// In the network of the calling thread. interface_index: 0, but for settings of an interface, where 0 means
// what holds for all interfaces and can only be read. Errors: EINVAL for a wrong interface or value, ENODEV
// for an interface that is gone, ENOENT where this kernel or network has no such setting; writing needs
// CAP_NET_ADMIN.
[[nodiscard]] Result<std::uint32_t, KernelError> read_setting(MachineSetting setting,
                                                              unsigned interface_index);
[[nodiscard]] Result<void, KernelError> write_setting(MachineSetting setting, unsigned interface_index,
                                                      std::uint32_t value);

}  // namespace hearthcast::linux
