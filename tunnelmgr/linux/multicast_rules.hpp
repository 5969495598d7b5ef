// Rules of multicast routing (ip mrule): packets that come in by an interface are looked up in a given table.
//
// Ours carry the protocol mark kRuleProtocol and a priority that tells their owner, so that what a crash left
// behind can be told from what a living program has. Needs CAP_NET_ADMIN. One thread. Errors are errnos.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/linux/failure.hpp"

namespace hearthcast::linux {

inline constexpr std::uint8_t kRuleProtocol = 72;  // none of the numbers that others are known to use

class MulticastRules {
 public:
  MulticastRules() = default;
  MulticastRules(MulticastRules&& other) noexcept = default;
  MulticastRules& operator=(MulticastRules&&) = delete;
  ~MulticastRules();  // removes those that were added and are still there

  // Of the name that the interface has now: a rule knows names only. Adding twice does nothing.
  [[nodiscard]] Result<void, KernelError> add(Family family, std::uint32_t table, unsigned interface_index);
  // By the name it had then, so also when it has gone. ENOENT: was never added.
  Result<void, KernelError> remove(Family family, std::uint32_t table, unsigned interface_index);
  // Those that are marked as ours and lead to that table, whoever added them.
  static void remove_all(Family family, std::uint32_t table);

 private:
  std::map<std::tuple<Family, std::uint32_t, unsigned>, std::string> added_;  // to the interface's name
};

}  // namespace hearthcast::linux
