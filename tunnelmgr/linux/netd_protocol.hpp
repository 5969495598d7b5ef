// What a program and its privileged helper, hearthcast-netd, say to each other: one fixed-size request, one
// fixed-size reply, over a Unix socket that keeps message borders (SOCK_SEQPACKET). Numbers in network byte
// order.
//
//   request:  version u8 (1), operation u8, zero u16, argument u32; one descriptor travels with it
//   reply:    version u8 (1), operation u8, zero u16, error u32 (an errno, or 0), value u64
#pragma once

#include <cstdint>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::linux {

// Where the helper finds its one client: the program that starts it puts one end of a connected pair there.
inline constexpr int kNetdDescriptor = 3;

// The kernel's multicast routing tables that the helper lends out, of each family.
inline constexpr std::uint32_t kFirstMulticastTable = 4755;
inline constexpr std::uint32_t kMulticastTables = 64;

enum class NetdOperation : std::uint8_t {
  // Gives the UDP socket that travels with it a receive buffer of argument octets, above what the machine
  // allows
  // everyone (SO_RCVBUFFORCE). value: the octets it really has, the kernel's overhead included.
  kForceReceiveBuffer = 1,
};

struct NetdRequest {
  NetdOperation operation = NetdOperation::kForceReceiveBuffer;
  std::uint32_t argument = 0;
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
