// The router's side of MLD and IGMP on one link and for one family, a network at home or a tunnel: querier
// election, queries, and what the hosts there want (RFC 3810 sections 7 and 8, RFC 3376 sections 6 and 7).
//
// Not thread-safe. Performs nothing: the caller carries out the actions in their order, calls on_deadline()
// at next_deadline() or later, and asks for next_deadline() again after every call. Until the first
// QuerierChanged the router is not querier. Memberships are tracked, and changes told, whoever is querier.
#pragma once

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/prefix.hpp"
#include "tunnelmgr/base/source_filter.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/membership/router_status.hpp"
#include "tunnelmgr/membership/timing.hpp"

namespace hearthcast::membership {

enum class Tracking : std::uint8_t {
  kNone,     // what the RFCs keep: the sum of all hosts
  kPerHost,  // also who wants what: for status, and for fast leave
  // One host at the other end, whose reports are complete: what it leaves ends at once, without a query. It
  // is no router: its queries are counted and win no election.
  kPointToPoint,
};

struct RouterSettings {
  Family family = Family::kIp6;
  Timing timing = {};
  Limits limits = {};
  // The version of the queries: MLD 1, 2; IGMP 1, 2, 3; 0 is the newest. Older ones are for links whose hosts
  // or routers know no newer one; leaves of single sources are then asked about by group, and with IGMPv1 not
  // at all.
  int querier_version = 0;
  Tracking tracking = Tracking::kPerHost;
  // With kPerHost: what nobody else is known to want ends at once. Still asked about once, so that a host
  // whose reports were all lost comes back. Waits until a round of start-up queries has told who is there,
  // and does not act on groups where hosts cannot be told apart (older versions, 0.0.0.0, more than the limit
  // of listeners).
  bool fast_leave = false;
  // Groups that can be had only from a named source (RFC 4604): who asks for one from any source, as the
  // older versions and EXCLUDE records do, is not heeded.
  std::vector<Prefix> ssm_ranges = default_ssm_ranges();
  bool ssm_from_any_source = false;  // serve it all the same: where a catalogue decides what is carried
  std::size_t packet_size = 1500;    // of the largest IP packet that the link carries: queries are split
  friend bool operator==(const RouterSettings&, const RouterSettings&) = default;
};

// A whole IP packet to send on the link.
struct SendPacket {
  Buffer ip_packet;
  friend bool operator==(const SendPacket&, const SendPacket&) = default;
};
// What the link wants of a group from now on; INCLUDE of nothing: no more. Comes only when it differs from
// before.
struct FilterChanged {
  IpAddress group;
  SourceFilter now;
  friend bool operator==(const FilterChanged&, const FilterChanged&) = default;
};
// A report asked for more groups, or more sources of a group, than the limits. Once for each group of a
// report, with the first source that was refused.
struct OverLimit {
  IpAddress group;
  std::optional<IpAddress> source;
  friend bool operator==(const OverLimit&, const OverLimit&) = default;
};
// Who asks on this link changed. Forward to the link only while `self`. `querier` is empty while nobody is
// known to: no link, or no address of our own and no other querier.
struct QuerierChanged {
  bool self = false;
  std::optional<IpAddress> querier;
  friend bool operator==(const QuerierChanged&, const QuerierChanged&) = default;
};
using Action = std::variant<SendPacket, FilterChanged, OverLimit, QuerierChanged>;
using Actions = std::vector<Action>;

class Router {
 public:
  // `own_address`: the source of queries, that elections compare. MLD: the link-local one. nullopt: there is
  // none, or it is tentative; the router then listens and sends nothing. 0.0.0.0 is good for IGMP in a
  // tunnel. The link is up. The first deadline is `now`: querier, and the first start-up query.
  Router(RouterSettings settings, std::optional<IpAddress> own_address, Time now);
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;
  ~Router();

  // Any packet from the link; what is not MLD or IGMP of this family does nothing.
  [[nodiscard]] Actions on_packet(Bytes ip_packet, Time now);
  // Also when nothing changed. A new address begins with start-up queries at once.
  [[nodiscard]] Actions on_address(std::optional<IpAddress> own_address, Time now);
  // Down: everything is left at once. Up: start-up queries at once.
  [[nodiscard]] Actions on_link(bool up, Time now);
  // Keeps all state; timers that run are not changed. The family and tracking must be the same.
  [[nodiscard]] Actions on_settings(RouterSettings settings, Time now);
  [[nodiscard]] Actions on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;
  // The link will be served no more: everything is left. Nothing else may be called after it but status().
  [[nodiscard]] Actions close();

  [[nodiscard]] bool is_querier() const;
  [[nodiscard]] SourceFilter filter(const IpAddress& group) const;  // INCLUDE of nothing: not wanted
  [[nodiscard]] RouterStatus status(Time now) const;
  [[nodiscard]] const RouterCounters& counters() const;

 private:
  class Machine;
  std::unique_ptr<Machine> machine_;  // keeps the parts of the machine out of everybody's includes
};

}  // namespace hearthcast::membership
