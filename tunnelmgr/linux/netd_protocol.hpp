// What a program and its privileged helper, hearthcast-netd, say to each other: one request, one reply,
// each of the fixed size of its operation, over a Unix socket that keeps message borders (SOCK_SEQPACKET).
// Numbers in network byte order. What an operation does not use is zero; anything else is no request.
//
//   request:  version u8 (2), operation u8, family u8 (4, 6), setting u8, interface u32, argument u32;
//             those about a TUN interface's addresses go on: length u8, address u8[16] (IPv4: in the first
//             four, the rest zero); a descriptor travels with some
//   reply:    version u8 (2), operation u8, zero u16, error u32 (an errno, or 0), value u64;
//             a descriptor travels with some
#pragma once

#include <cstdint>
#include <optional>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/linux/machine_setting.hpp"

namespace hearthcast::linux {

// Where the helper finds its one client: the program that starts it puts one end of a connected pair there.
inline constexpr int kNetdDescriptor = 3;

// The kernel's multicast routing tables that the helper lends out, of each family.
inline constexpr std::uint32_t kFirstMulticastTable = 4755;
inline constexpr std::uint32_t kMulticastTables = 64;

enum class NetdOperation : std::uint8_t {
  // Gives the UDP socket that travels with it a receive buffer of argument octets, above what the machine
  // allows everyone (SO_RCVBUFFORCE). value: the octets it really has, the kernel's overhead included.
  kForceReceiveBuffer = 1,
  // Replies with a descriptor: privileged_sockets.hpp. argument of the second: the table.
  kOpenLinkSocket = 2,
  kOpenMulticastRouting = 3,
  // Rules of multicast routing (multicast_rules.hpp), which end with the helper. argument: the table.
  kAddMulticastRule = 4,
  kRemoveMulticastRule = 5,
  // machine_setting.hpp. argument of the second: the value; value in the reply of the first.
  kReadSetting = 6,
  kWriteSetting = 7,
  // Replies with a raw IP socket: privileged_sockets.hpp. argument: the protocol, 41 (IPv4 only) or 47.
  kOpenRawIp = 8,
  // TUN interfaces (tun_interface.hpp). The first makes one, with an MTU of argument, and replies with its
  // descriptor; value: its index. The others are about the one whose descriptor travels with them.
  kOpenTun = 16,
  kAddTunAddress = 17,
  kRemoveTunAddress = 18,
  kAddTunRoute = 19,
  kRemoveTunRoute = 20,
};

struct NetdRequest {
  NetdOperation operation = NetdOperation::kForceReceiveBuffer;
  std::optional<Family> family = {};
  std::optional<MachineSetting> setting = {};
  std::uint32_t interface_index = 0;
  std::uint32_t argument = 0;
  std::optional<IpAddress> address = {};  // of `family`
  unsigned length = 0;                    // of a prefix, or of the network that the address is in; up to 255
  friend bool operator==(const NetdRequest&, const NetdRequest&) = default;
};

struct NetdReply {
  NetdOperation operation = NetdOperation::kForceReceiveBuffer;
  std::uint32_t error = 0;
  std::uint64_t value = 0;
  friend bool operator==(const NetdReply&, const NetdReply&) = default;
};

[[nodiscard]] Buffer encode(const NetdRequest& request);
[[nodiscard]] Buffer encode(const NetdReply& reply);
[[nodiscard]] Result<NetdRequest> decode_netd_request(Bytes message);
[[nodiscard]] Result<NetdReply> decode_netd_reply(Bytes message);

}  // namespace hearthcast::linux
