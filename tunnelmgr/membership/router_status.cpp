#include "tunnelmgr/membership/router_status.hpp"

#include <algorithm>

#include "tunnelmgr/membership/router.hpp"

namespace hearthcast::membership {
namespace {

Span until(Time then, Time now) {
  return then > now ? std::chrono::duration_cast<Span>(then - now) : Span::zero();
}

ListenerStatus listener_status(const IpAddress& address, const TrackedListeners::Listener& listener,
                               Time now) {
  GroupState state = listener.state;
  state.on_deadline(now);
  return {.address = address, .filter = state.filter(), .heard = until(now, listener.heard)};
}

}  // namespace

std::vector<NamedCount> drop_reasons(const RouterCounters& counters) {
  std::vector<NamedCount> reasons;
  for (std::size_t i = 0; i < counters.dropped.size(); ++i) {
    reasons.push_back({wire::describe(static_cast<wire::MembershipError>(i)), counters.dropped[i]});
  }
  reasons.insert(reasons.end(), {{"own_query", counters.own_queries},
                                 {"unspecified_query", counters.unspecified_queries},
                                 {"other_version_query", counters.other_version_queries},
                                 {"query_of_host", counters.queries_of_hosts},
                                 {"group", counters.ignored_groups},
                                 {"record_type", counters.ignored_records},
                                 {"record_source", counters.ignored_sources},
                                 {"any_source_of_ssm", counters.any_source_of_ssm},
                                 {"older_host_present", counters.ignored_for_older_hosts},
                                 {"over_limit", counters.over_limit}});
  return reasons;
}

SourceFilter Router::filter(const IpAddress& group) const {
  const auto at = groups_.find(group);
  return at == groups_.end() ? SourceFilter{} : at->second.state.filter();
}

GroupStatus Router::group_status(const IpAddress& address, const Group& group, Time now) const {
  GroupStatus status{.group = address,
                     .mode = group.state.mode(),
                     .last_reporter = group.last_reporter,
                     .age = until(now, group.since),
                     .version = group.compatibility.version(settings_.family, now),
                     .asking = !group.pending.empty()};
  if (status.mode == FilterMode::kExclude) {
    status.expires = until(group.state.filter_timer(), now);
  }
  for (const auto& [source, expires] : group.state.requested()) {
    status.sources.push_back({source, true, until(expires, now)});
  }
  for (const IpAddress& source : group.state.excluded()) {
    status.sources.push_back({source, false, std::nullopt});
  }
  for (const auto& [host, listener] : group.listeners.all()) {
    ListenerStatus known = listener_status(host, listener, now);
    if (!known.filter.wants_nothing()) {
      status.listeners.push_back(std::move(known));
    }
  }
  return status;
}

RouterStatus Router::status(Time now) const {
  const Timing& timing = querier_.timing();
  RouterStatus status{.family = settings_.family,
                      .link_up = querier_.link_up(),
                      .own_address = querier_.own_address(),
                      .role = querier_.role(),
                      .querier = querier_.address(),
                      .querier_version = query_version(),
                      .robustness = timing.robustness,
                      .query_interval = timing.query_interval,
                      .query_response_interval = timing.query_response_interval,
                      .counters = counters_};
  if (status.role == QuerierRole::kOther) {
    status.querier_expires = until(querier_.other_expires(), now);
    status.querier_version = querier_.other_version();
  } else if (querier_.next_deadline(!groups_.empty()) != kNever) {
    status.next_query = until(querier_.next_query(), now);
  }
  for (const auto& [address, group] : groups_) {
    status.groups.push_back(group_status(address, group, now));
  }
  return status;
}

}  // namespace hearthcast::membership
