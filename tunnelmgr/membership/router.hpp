// The router's side of MLD and IGMP on one link and for one family, a network at home or a tunnel: querier
// election, queries, and what the hosts there want (RFC 3810 sections 7 and 8, RFC 3376 sections 6 and 7).
//
// Not thread-safe. Performs nothing: the caller carries out the actions in their order, calls on_deadline()
// at next_deadline() or later, and asks for next_deadline() again after every call. Until the first
// QuerierChanged the router is not querier. Memberships are tracked, and changes told, whoever is querier.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/prefix.hpp"
#include "tunnelmgr/base/source_filter.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/membership/compatibility.hpp"
#include "tunnelmgr/membership/group_state.hpp"
#include "tunnelmgr/membership/pending_queries.hpp"
#include "tunnelmgr/membership/querier.hpp"
#include "tunnelmgr/membership/router_status.hpp"
#include "tunnelmgr/membership/timing.hpp"
#include "tunnelmgr/membership/tracked_listeners.hpp"

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

  // Any packet from the link; what is of the other family does nothing.
  [[nodiscard]] Actions on_packet(Bytes ip_packet, Time now);
  // Also when nothing changed. A new address begins with start-up queries at once.
  [[nodiscard]] Actions on_address(std::optional<IpAddress> own_address, Time now);
  // Down: everything is left at once. Up: start-up queries at once.
  [[nodiscard]] Actions on_link(bool up, Time now);
  // Keeps all memberships; timers that run are not changed. Family and tracking must be as before.
  [[nodiscard]] Actions on_settings(RouterSettings settings, Time now);
  [[nodiscard]] Actions on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;
  // The host at the other end is there, and may want something that was not heard: a general query, where
  // Timing::quiet_unless_wanted keeps this querier from asking.
  [[nodiscard]] Actions ask_if_quiet(Time now);
  // The link will be served no more: everything is left, and nothing is sent or heard from now on.
  [[nodiscard]] Actions close();

  [[nodiscard]] bool is_querier() const { return querier_.role() == QuerierRole::kSelf; }
  [[nodiscard]] SourceFilter filter(const IpAddress& group) const;  // INCLUDE of nothing: not wanted
  [[nodiscard]] RouterStatus status(Time now) const;
  [[nodiscard]] const RouterCounters& counters() const { return counters_; }

 private:
  struct Group {
    GroupState state = {};
    PendingQueries pending = {};
    Compatibility compatibility = {};
    TrackedListeners listeners = {};
    std::optional<IpAddress> last_reporter = {};
    Time since{};
    Time due = kNever;  // as in due_
  };
  using Groups = std::map<IpAddress, Group>;

  void on_query(const IpAddress& source, const wire::MembershipQuery& query, Time now, Actions& actions);
  void on_report(const IpAddress& host, const wire::MembershipReport& report, Time now, Actions& actions);
  // `old_version`: of the message that the record stands for; 0: a record of the newest version.
  void on_record(const IpAddress& host, wire::GroupRecord record, int old_version, Time now,
                 Actions& actions);
  [[nodiscard]] bool is_heeded(wire::GroupRecord& record, int old_version);
  [[nodiscard]] bool within_limits(wire::GroupRecord& record, Actions& actions);
  void track(Group& group, const IpAddress& host, const wire::GroupRecord& record, int old_version, Time now);
  void on_leave(const IpAddress& address, Group& group, const Ask& ask, Time now, Actions& actions);
  void fast_leave(const IpAddress& address, Group& group, const Ask& unwanted, Time now, Actions& actions);
  [[nodiscard]] bool knows_all_listeners(const Group& group, Time now) const;
  void ask_again(const IpAddress& address, Group& group, Time now, Actions& actions);
  void send_specific(const IpAddress& group, const Ask& ask, bool suppress, Actions& actions);
  void group_deadline(Groups::iterator at, Time now, Actions& actions);
  // After a change: tells it, forgets an empty group, and files the next deadline of one that stays.
  void settle(Groups::iterator at, const SourceFilter& before, Actions& actions);
  void file(Groups::iterator at);
  void leave_all(Actions& actions);
  void tell_querier(Time now, Actions& actions);
  void wait_for_answers(Time now);
  [[nodiscard]] int query_version() const;
  [[nodiscard]] Duration listening_interval() const;
  [[nodiscard]] Duration time_to_answer() const;  // a general query, with the trip
  [[nodiscard]] GroupStatus group_status(const IpAddress& address, const Group& group, Time now) const;

  RouterSettings settings_;
  Querier querier_;
  QuerierChanged told_;
  bool closed_ = false;
  Groups groups_;
  // The next deadline of each group that has one, in order. Without it each packet would cost a walk through
  // all groups and sources, since the caller asks for next_deadline() after it: 105 us for 1,000 groups of 10
  // sources, where a report takes 11 us in all.
  std::set<std::pair<Time, IpAddress>> due_;
  RouterCounters counters_;
};

}  // namespace hearthcast::membership
