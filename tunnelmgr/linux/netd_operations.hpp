// What needs privilege, carried out: by hearthcast-netd for its client, or by a program that has the
// privilege itself.
#pragma once

#include <utility>

#include "tunnelmgr/linux/fd.hpp"
#include "tunnelmgr/linux/multicast_rules.hpp"
#include "tunnelmgr/linux/netd_protocol.hpp"

namespace hearthcast::linux {

inline constexpr std::uint32_t kLargestReceiveBuffer = 64U << 20;  // octets; more is refused with EINVAL

// Trusts nothing in a request: wrong values are EINVAL, wrong descriptors ENOTSOCK. One thread. Its end
// removes the rules that it added.
class NetdOperations {
 public:
  // tun_node: /dev/net/tun, opened while that was allowed, for the first TUN interface; empty: opened when
  // needed.
  explicit NetdOperations(Fd tun_node = {}) : tun_node_(std::move(tun_node)) {}

  struct Outcome {
    NetdReply reply;
    Fd descriptor;  // for operations that open something
  };
  // descriptor: the one that came with the request, negative when none came; stays with the caller.
  [[nodiscard]] Outcome perform(const NetdRequest& request, int descriptor);

 private:
  [[nodiscard]] Outcome carry_out(const NetdRequest& request, int descriptor);
  [[nodiscard]] Outcome carry_out_on_tun(const NetdRequest& request, int descriptor);
  MulticastRules rules_;
  Fd tun_node_;
};

}  // namespace hearthcast::linux
