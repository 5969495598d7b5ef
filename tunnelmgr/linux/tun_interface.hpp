// A TUN interface as the one with privilege makes and sets it up: for hearthcast-netd. The interface is never
// persistent: it vanishes, with its addresses and routes, when the last descriptor of it closes, also by a
// crash.
#pragma once

#include <string>
#include <string_view>

#include "tunnelmgr/base/prefix.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/linux/failure.hpp"
#include "tunnelmgr/linux/fd.hpp"

namespace hearthcast::linux {

inline constexpr const char* kTunNode = "/dev/net/tun";
inline constexpr std::string_view kTunNames = "hearthcast";  // with a number behind it
inline constexpr unsigned kLeastTunMtu = 1280;               // RFC 8200 section 5
inline constexpr unsigned kMostTunMtu = 65535;

struct OpenedTun {
  Fd fd;  // non-blocking; frames begin with a struct virtio_net_hdr of 10 octets
  unsigned index = 0;
};

// Makes an interface `hearthcast0` (or the next free number), up, without any address: the kernel is told to
// invent none. `node` is /dev/net/tun, open and unused; an empty one is opened here. Needs CAP_NET_ADMIN.
[[nodiscard]] Result<OpenedTun, KernelError> open_tun(Fd node, unsigned mtu);

// The name of the interface that the descriptor is of. EBADF: it is of none that open_tun() makes.
[[nodiscard]] Result<std::string, KernelError> name_of_tun(int tun);

// On the interface of that descriptor. Addresses: private or link-local ones, with the prefix that the kernel
// then routes there. Routes: multicast, though neither all of it nor what belongs to the link, or private
// addresses. Prefixes of unicast have at least 16 bits in IPv4, 64 in IPv6. Anything else is EINVAL. What is
// there already is no error.
[[nodiscard]] Result<void, KernelError> add_tun_address(int tun, const IpAddress& address, unsigned length);
[[nodiscard]] Result<void, KernelError> remove_tun_address(int tun, const IpAddress& address,
                                                           unsigned length);
[[nodiscard]] Result<void, KernelError> add_tun_route(int tun, const Prefix& to);
[[nodiscard]] Result<void, KernelError> remove_tun_route(int tun, const Prefix& to);

}  // namespace hearthcast::linux
