// A host that sends a sequence of records and lets time pass: joined and left must alternate for each
// subscription, and limits hold.
#include <set>

#include "tunnelmgr/membership/old_router.hpp"

using namespace hearthcast;
using namespace hearthcast::membership;
using namespace hearthcast::membership::old;

namespace {

IpAddress group_of(std::uint8_t octet) { return IpAddress::ip4(0xEF010100U + octet % 20U); }
IpAddress source_of(std::uint8_t octet) { return IpAddress::ip4(0xC0000200U + octet % 50U); }

void check(const Actions& actions, std::set<Subscription>& joined) {
  for (const Action& action : actions) {
    if (const auto* j = std::get_if<Joined>(&action)) {
      if (!joined.insert(j->subscription).second) {
        __builtin_trap();
      }
    } else if (const auto* l = std::get_if<Left>(&action)) {
      if (joined.erase(l->subscription) != 1) {
        __builtin_trap();
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Time now{};
  Router router(*IpAddress::parse("fe80::1"), tunnel_timing(), kTunnelLimits, now);
  std::set<Subscription> joined;
  Reader r({data, size});
  while (r.left() > 0) {
    const std::uint8_t type = r.u8();
    wire::GroupRecord record{static_cast<wire::RecordType>(type % 8), group_of(r.u8())};
    const std::uint8_t sources = r.u8();
    for (const std::uint8_t octet : r.take(std::min<std::size_t>(sources, r.left()))) {
      record.sources.push_back(source_of(octet));
    }
    check(router.on_packet(wire::encode_membership_packet(
                               {IpAddress(), wire::kAllIgmp3Routers, wire::MembershipReport{{record}}}),
                           now),
          joined);
    if ((type & 0x80) != 0) {
      now += std::chrono::milliseconds(250) * (type & 0x7F);
      check(router.on_deadline(now), joined);
    }
    const auto all = router.subscriptions();
    if (std::set<Subscription>(all.begin(), all.end()) != joined || joined.size() > std::size_t{16} * 32) {
      __builtin_trap();
    }
  }
  check(router.close(), joined);
  return joined.empty() ? 0 : (__builtin_trap(), 0);
}
