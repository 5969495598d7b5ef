// What one membership router knows, for people and metrics: querier, groups, sources, timers, listeners, and
// a counter for each reason why something was not heeded. Plain values; times are counted from the moment
// that status() was asked for.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "tunnelmgr/base/source_filter.hpp"
#include "tunnelmgr/wire/membership_packet.hpp"

namespace hearthcast::membership {

struct RouterCounters {
  std::uint64_t general_queries_sent = 0;
  std::uint64_t specific_queries_sent = 0;
  std::uint64_t queries_heard = 0;  // from other routers
  std::uint64_t reports = 0;        // packets: MLDv2, IGMPv3
  std::uint64_t old_reports = 0;    // MLDv1, IGMPv1, IGMPv2
  std::uint64_t leaves = 0;         // Done, Leave Group
  std::uint64_t fast_leaves = 0;    // states that ended at once, since nobody else was known to want them
  // Not heeded. Packets by wire::MembershipError, then what was wrong with a packet that decoded.
  std::array<std::uint64_t, wire::kMembershipErrors> dropped{};
  std::uint64_t own_queries = 0;            // from our own address: a loop, or an address used twice
  std::uint64_t unspecified_queries = 0;    // from 0.0.0.0, as switches send them: win no election
  std::uint64_t other_version_queries = 0;  // the other router speaks a version that we are not set to
  std::uint64_t queries_of_hosts = 0;       // in a tunnel, whose other end is no router
  std::uint64_t ignored_groups = 0;         // records for no multicast group, or one of link scope
  std::uint64_t ignored_records = 0;        // of unknown type
  std::uint64_t ignored_sources = 0;        // sources in records that are multicast, unspecified or loopback
  std::uint64_t any_source_of_ssm = 0;      // a source-specific group asked for from any source
  std::uint64_t ignored_for_older_hosts = 0;  // BLOCK and the like while an older host is present
  std::uint64_t over_limit = 0;               // groups and sources refused
};

struct NamedCount {
  std::string_view name;  // snake_case, fixed: a label of metrics
  std::uint64_t count = 0;
};
// Every counter of what was not heeded, each under its own name.
[[nodiscard]] std::vector<NamedCount> drop_reasons(const RouterCounters& counters);

using Span = std::chrono::milliseconds;  // a time from now on, or until now; never negative

struct SourceStatus {
  IpAddress address;
  bool forwarded = false;            // false: excluded
  std::optional<Span> expires = {};  // forwarded ones have a timer
};

// One host that is tracked: what it wants by itself.
struct ListenerStatus {
  IpAddress address;
  SourceFilter filter;
  Span heard = {};  // since its last report of the group
};

struct GroupStatus {
  IpAddress group;
  FilterMode mode = FilterMode::kInclude;
  std::optional<Span> expires = {};  // the filter timer, in mode EXCLUDE
  std::vector<SourceStatus> sources = {};
  std::vector<ListenerStatus> listeners = {};  // empty when hosts are not tracked
  std::optional<IpAddress> last_reporter = {};
  Span age = {};
  int version = 0;      // that its hosts are served in: MLD 1, 2; IGMP 1, 2, 3
  bool asking = false;  // specific queries are under way: somebody left
};

enum class QuerierRole : std::uint8_t {
  kSilent,  // no link, or no address yet
  kSelf,
  kOther,
};

struct RouterStatus {
  Family family = Family::kIp6;
  bool link_up = true;
  std::optional<IpAddress> own_address = {};
  QuerierRole role = QuerierRole::kSilent;
  std::optional<IpAddress> querier = {};     // ourselves or the other
  std::optional<Span> querier_expires = {};  // when the other will be taken for gone
  int querier_version = 0;                   // of the queries on the link
  int robustness = 0;                        // in force: our own, or adopted from the other querier
  std::chrono::seconds query_interval = {};
  std::chrono::milliseconds query_response_interval = {};
  std::optional<Span> next_query = {};  // our next general query
  std::vector<GroupStatus> groups = {};
  RouterCounters counters = {};
};

}  // namespace hearthcast::membership
