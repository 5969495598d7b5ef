// Why something was not listened to or not forwarded, counted by reason.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hearthcast::proxy {

enum class Drop : std::uint8_t {
  // of what a downstream asked for
  kNotMulticast,
  kLinkScope,  // 224.0.0.0/24, ffx0 to ffx2: never leaves a link
  kDeniedByRule,
  kBoundary,       // a scope zone ends there
  kNotChosen,      // no channel that tunnels get
  kSourceMissing,  // a source-specific group wanted from any source
  kUnknownDownstream,
  // of packets that the kernel had no route for
  kNoListener,
  kNotQuerier,      // another router is querier where it is wanted, and forwards there
  kBadSource,       // unspecified, loopback, multicast, link-local
  kWrongInterface,  // not where that source is expected
  kUnknownInterface,
  kRouteLimit,  // a route was given up for it
  kCount,
};
inline constexpr std::size_t kDropReasons = static_cast<std::size_t>(Drop::kCount);
[[nodiscard]] std::string_view code_text(Drop reason);  // not_multicast, link_scope, ...

class DropCounters {
 public:
  void count(Drop reason, std::uint64_t by = 1) { counts_[static_cast<std::size_t>(reason)] += by; }
  [[nodiscard]] std::uint64_t of(Drop reason) const { return counts_[static_cast<std::size_t>(reason)]; }

 private:
  std::array<std::uint64_t, kDropReasons> counts_{};
};

}  // namespace hearthcast::proxy
