#include "tunnelmgr/membership/query_packets.hpp"

#include <algorithm>

#include "tunnelmgr/wire/membership_packet.hpp"

namespace hearthcast::membership {
namespace {

// IP header, router alert (a whole extension header in IPv6), and the query without its sources.
std::size_t overhead(Family family) { return family == Family::kIp4 ? 24 + 12 : 40 + 8 + 28; }

std::size_t sources_per_packet(const QueryForm& form) {
  const Family family = form.source.family();
  const std::size_t room = form.packet_size > overhead(family) ? form.packet_size - overhead(family) : 0;
  return std::max<std::size_t>(1, room / form.source.bytes().size());
}

wire::MembershipQuery query(const QueryForm& form, const Timing& timing) {
  return {.version = form.version,
          .group = IpAddress::any(form.source.family()),
          .robustness = static_cast<std::uint8_t>(timing.robustness),
          .query_interval = timing.query_interval};
}

}  // namespace

Buffer general_query(const QueryForm& form, const Timing& timing) {
  wire::MembershipQuery general = query(form, timing);
  general.max_response = timing.query_response_interval;
  return wire::encode_membership_packet(
      {form.source, form.source.is_ip4() ? wire::kAllHosts4 : wire::kAllNodes6, std::move(general)});
}

std::vector<Buffer> specific_queries(const QueryForm& form, const Timing& timing, const IpAddress& group,
                                     const std::vector<IpAddress>& sources, bool suppress) {
  wire::MembershipQuery specific = query(form, timing);
  specific.max_response = timing.last_listener_query_interval;
  specific.group = group;
  specific.suppress = suppress;
  std::vector<Buffer> packets;
  auto at = sources.begin();
  do {
    const auto left = static_cast<std::size_t>(sources.end() - at);
    const auto end = at + static_cast<std::ptrdiff_t>(std::min(left, sources_per_packet(form)));
    specific.sources.assign(at, end);
    packets.push_back(wire::encode_membership_packet({form.source, group, specific}));
    at = end;
  } while (at != sources.end());
  return packets;
}

}  // namespace hearthcast::membership
