// A link whose hosts and routers send anything while time passes: each change that is told must be one,
// deadlines must make progress, limits must hold, and what is told must be what the router says when asked.
#include <map>

#include "tunnelmgr/membership/router.hpp"
#include "tunnelmgr/wire/membership_packet.hpp"

using namespace hearthcast;
using namespace hearthcast::membership;

namespace {

constexpr Limits kLimits{.groups = 8, .sources = 16, .listeners = 4};
using Told = std::map<IpAddress, SourceFilter>;

void require(bool true_always) {
  if (!true_always) {
    __builtin_trap();
  }
}

void check(const Router& router, const Actions& actions, Told& told) {
  for (const Action& action : actions) {
    if (const auto* change = std::get_if<FilterChanged>(&action)) {
      const auto before = told.find(change->group);
      require(change->now != (before == told.end() ? SourceFilter{} : before->second));
      require(change->now.sources.size() <= kLimits.sources);
      if (change->now.wants_nothing()) {
        told.erase(change->group);
      } else {
        told[change->group] = change->now;
      }
    } else if (const auto* send = std::get_if<SendPacket>(&action)) {
      require(send->ip_packet.size() <= 1500 && wire::decode_membership_packet(send->ip_packet).has_value());
    }
  }
  require(told.size() <= kLimits.groups);
  for (const auto& [group, filter] : told) {
    require(router.filter(group) == filter);
  }
}

class Input {
 public:
  explicit Input(Bytes bytes) : r_(bytes) {}
  [[nodiscard]] bool left() const { return r_.left() > 0; }
  std::uint8_t octet() { return r_.left() > 0 ? r_.u8() : std::uint8_t{0}; }
  IpAddress group() { return IpAddress::ip4(0xEF010100U + octet() % 12U); }
  std::vector<IpAddress> sources() {
    std::vector<IpAddress> all;
    for (int count = octet() % 24; count > 0; --count) {
      all.push_back(IpAddress::ip4(0xC0000200U + octet() % 32U));
    }
    return all;
  }
  IpAddress host() { return IpAddress::ip4(octet() % 8U == 0 ? 0 : 0x0A000000U + octet() % 8U); }
  Bytes rest(std::size_t length) { return r_.take(std::min(length, r_.left())); }

 private:
  Reader r_;
};

wire::MembershipMessage message(Input& in, std::uint8_t kind) {
  switch (kind % 8) {
    case 0:
      return wire::MembershipQuery{.version = 1 + in.octet() % 3,
                                   .max_response = std::chrono::milliseconds(100 * in.octet()),
                                   .group = in.octet() % 2 == 0 ? IpAddress() : in.group(),
                                   .suppress = in.octet() % 2 == 0,
                                   .robustness = static_cast<std::uint8_t>(in.octet() % 8),
                                   .query_interval = std::chrono::seconds(in.octet()),
                                   .sources = in.sources()};
    case 1:
      return wire::OldReport{1 + in.octet() % 2, in.group()};
    case 2:
      return wire::OldLeave{in.group()};
    default: {
      const auto type = static_cast<wire::RecordType>(in.octet() % 8);
      const IpAddress group = in.group();
      return wire::MembershipReport{{{type, group, in.sources()}}};
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Time now{};
  Input in({data, size});
  const std::uint8_t mode = in.octet();
  Router router({.family = Family::kIp4,
                 .limits = kLimits,
                 .querier_version = mode >> 3 & 3,
                 .tracking = static_cast<Tracking>(mode % 3),
                 .fast_leave = (mode & 4) != 0},
                IpAddress::ip4(0x0A000004), now);
  Told told;
  while (in.left()) {
    const std::uint8_t kind = in.octet();
    if (kind == 0xFF) {  // raw octets
      check(router, router.on_packet(in.rest(in.octet()), now), told);
    } else if (kind == 0xFE) {
      check(router, router.on_link(in.octet() % 2 == 0, now), told);
    } else if (kind == 0xFD) {
      check(router,
            router.on_address(in.octet() % 4 == 0 ? std::nullopt : std::optional(IpAddress::ip4(0x0A000003)),
                              now),
            told);
    } else {
      const IpAddress host = in.host();
      check(router,
            router.on_packet(
                wire::encode_membership_packet({host, wire::kAllIgmp3Routers, message(in, kind)}), now),
            told);
    }
    if ((kind & 0x80) != 0) {
      const Time end = now + std::chrono::milliseconds(500) * (kind & 0x3F);
      while (router.next_deadline() <= end) {
        const Time at = std::max(now, router.next_deadline());
        check(router, router.on_deadline(at), told);
        require(router.next_deadline() > at);
        now = at;
      }
      now = end;
    }
    (void)router.status(now);
  }
  check(router, router.close(), told);
  require(told.empty() && router.next_deadline() == kNever);
  return 0;
}
