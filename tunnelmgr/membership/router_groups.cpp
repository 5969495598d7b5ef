// What records do to groups, and what leaving one takes.
#include <algorithm>
#include <iterator>

#include "tunnelmgr/membership/query_packets.hpp"
#include "tunnelmgr/membership/router.hpp"

namespace hearthcast::membership {
namespace {

using wire::GroupRecord;
using wire::RecordType;

bool asks_for_something(const GroupRecord& record) {
  switch (record.type) {
    case RecordType::kModeIsExclude:
    case RecordType::kChangeToExclude:
      return true;
    case RecordType::kBlockOldSources:
      return false;
    default:
      return !record.sources.empty();
  }
}

bool is_known(RecordType type) {
  return type >= RecordType::kModeIsInclude && type <= RecordType::kBlockOldSources;
}

bool excludes(RecordType type) {
  return type == RecordType::kModeIsExclude || type == RecordType::kChangeToExclude;
}

}  // namespace

// Counts why not. Takes sources that can be none out of the record.
bool Router::is_heeded(GroupRecord& record, int old_version) {
  if (!record.group.is_multicast() || record.group.is_link_scope_multicast()) {
    ++counters_.ignored_groups;
    return false;
  }
  if (!is_known(record.type)) {
    ++counters_.ignored_records;
    return false;
  }
  if (!settings_.ssm_from_any_source && (old_version != 0 || excludes(record.type)) &&
      any_contains(settings_.ssm_ranges, record.group)) {
    ++counters_.any_source_of_ssm;
    return false;
  }
  counters_.ignored_sources += std::erase_if(record.sources, [](const IpAddress& source) {
    return source.is_multicast() || source.is_unspecified() || source.is_loopback();
  });
  return true;
}

void Router::on_record(const IpAddress& host, GroupRecord record, int old_version, Time now,
                       Actions& actions) {
  if (!is_heeded(record, old_version)) {
    return;
  }
  auto at = groups_.find(record.group);
  if (at != groups_.end() && settings_.tracking != Tracking::kPointToPoint) {
    const RecordType type = record.type;
    const std::size_t sources = record.sources.size();
    auto counts = translate(std::move(record), settings_.family,
                            at->second.compatibility.version(settings_.family, now));
    if (!counts) {
      ++counters_.ignored_for_older_hosts;
      return;
    }
    counters_.ignored_for_older_hosts += type == counts->type && sources != counts->sources.size() ? 1 : 0;
    record = std::move(*counts);
  }
  if ((at == groups_.end() && !asks_for_something(record)) || !within_limits(record, actions)) {
    return;
  }
  if (at == groups_.end()) {
    if (groups_.empty()) {
      querier_.on_wanted(now);
    }
    at = groups_.try_emplace(record.group).first;
    at->second.since = now;
  }
  Group& group = at->second;
  const SourceFilter before = group.state.filter();
  group.last_reporter = host;
  const Ask ask = group.state.on_record(record.type, record.sources, now + listening_interval());
  track(group, host, record, old_version, now);
  on_leave(at->first, group, ask, now, actions);
  settle(at, before, actions);
}

void Router::track(Group& group, const IpAddress& host, const GroupRecord& record, int old_version,
                   Time now) {
  const Time until = now + listening_interval();
  if (old_version != 0 && record.type == RecordType::kModeIsExclude) {
    group.compatibility.on_old_report(old_version, until);
  }
  if (settings_.tracking != Tracking::kPerHost) {
    return;
  }
  if (host.is_unspecified() || (old_version != 0 && record.type == RecordType::kModeIsExclude)) {
    group.listeners.on_hidden(until);
  }
  if (!host.is_unspecified()) {
    group.listeners.on_record(host, record, until, now, settings_.limits);
  }
}

// Cuts what is over the limit of sources; false when nothing is left of it, or the group is over its limit.
bool Router::within_limits(GroupRecord& record, Actions& actions) {
  const auto at = groups_.find(record.group);
  if (at == groups_.end() && groups_.size() >= settings_.limits.groups) {
    ++counters_.over_limit;
    actions.push_back(OverLimit{
        record.group, record.sources.empty() ? std::nullopt : std::optional(record.sources.front())});
    return false;
  }
  if (record.type == RecordType::kBlockOldSources && at->second.state.mode() == FilterMode::kInclude) {
    return true;  // adds nothing
  }
  std::size_t known = at == groups_.end() ? 0 : at->second.state.sources();
  std::set<IpAddress> taken;
  std::optional<IpAddress> refused;
  std::erase_if(record.sources, [&](const IpAddress& source) {
    if ((at != groups_.end() && at->second.state.knows(source)) || taken.contains(source)) {
      return false;
    }
    if (known < settings_.limits.sources) {
      ++known;
      taken.insert(source);
      return false;
    }
    ++counters_.over_limit;
    refused = refused ? refused : source;
    return true;
  });
  if (refused) {
    actions.push_back(OverLimit{record.group, refused});
  }
  return asks_for_something(record) || at != groups_.end();
}

// RFC 3810 section 7.6.3, RFC 3376 section 6.6.3.
void Router::on_leave(const IpAddress& address, Group& group, const Ask& ask, Time now, Actions& actions) {
  if (ask.empty()) {
    return;
  }
  if (settings_.tracking == Tracking::kPointToPoint) {
    (void)group.state.lower(ask, now);
    group.state.on_deadline(now);
    return;
  }
  if (!is_querier()) {
    return;  // the querier asks, and its query lowers our timers too
  }
  if (settings_.fast_leave && knows_all_listeners(group, now)) {
    fast_leave(address, group, group.listeners.unwanted(ask, now), now, actions);
    return;
  }
  if (settings_.family == Family::kIp4 && query_version() == 1) {
    return;  // IGMPv1 cannot ask about a group
  }
  Ask lowered = group.state.lower(ask, now + settings_.timing.last_listener_query_time());
  if (query_version() < newest_version(settings_.family) && !lowered.empty()) {
    lowered = {.group = true};  // nor can the older versions ask about a source
  }
  group.pending.add(lowered, settings_.timing.last_listener_query_count(), now);
  ask_again(address, group, now, actions);
}

void Router::fast_leave(const IpAddress& address, Group& group, const Ask& unwanted, Time now,
                        Actions& actions) {
  if (unwanted.group) {
    // Back to single sources: those that others wanted all the time, and that were forgotten meanwhile.
    for (const auto& [source, until] : group.listeners.included(now)) {
      if (!group.state.requested().contains(source)) {
        (void)group.state.on_record(RecordType::kModeIsInclude, {source}, until);
      }
    }
  }
  const Ask gone = group.state.lower(unwanted, now);
  group.state.on_deadline(now);
  if (!gone.empty()) {
    ++counters_.fast_leaves;
    send_specific(address, gone, false, actions);
  }
}

bool Router::knows_all_listeners(const Group& group, Time now) const {
  return settings_.tracking == Tracking::kPerHost && now >= querier_.listeners_known_at() &&
         !group.listeners.has_hidden(now) &&
         group.compatibility.version(settings_.family, now) == newest_version(settings_.family);
}

// Sources that were confirmed meanwhile go into a query of their own, with the S flag: other routers must not
// lower the timers that the answers raised (RFC 3810 section 7.6.3.2).
void Router::ask_again(const IpAddress& address, Group& group, Time now, Actions& actions) {
  const Ask due = group.pending.take(now, settings_.timing.last_listener_query_interval);
  const Time soon = now + settings_.timing.last_listener_query_time();
  const bool any_version = query_version() < newest_version(settings_.family);
  const bool ask_group = due.group && (any_version || group.state.mode() == FilterMode::kExclude);
  if (ask_group) {
    send_specific(address, {.group = true}, !any_version && group.state.filter_timer() > soon, actions);
  }
  Ask unanswered;
  Ask answered;
  for (const IpAddress& source : due.sources) {
    if (const auto timer = group.state.requested().find(source); timer != group.state.requested().end()) {
      (timer->second > soon ? answered : unanswered).sources.push_back(source);
    }
  }
  send_specific(address, unanswered, false, actions);
  if (!ask_group) {
    send_specific(address, answered, true, actions);
  }
}

void Router::send_specific(const IpAddress& group, const Ask& ask, bool suppress, Actions& actions) {
  const bool any_version = query_version() < newest_version(settings_.family);
  if (ask.empty() || (settings_.family == Family::kIp4 && query_version() == 1)) {
    return;
  }
  const QueryForm form{*querier_.own_address(), query_version(), settings_.packet_size};
  const auto send = [&](const std::vector<IpAddress>& sources) {
    for (Buffer& packet : specific_queries(form, querier_.timing(), group, sources, suppress)) {
      ++counters_.specific_queries_sent;
      actions.push_back(SendPacket{std::move(packet)});
    }
  };
  if (ask.group || any_version) {
    send({});
  }
  if (!ask.sources.empty() && !any_version) {
    send(ask.sources);
  }
}

void Router::group_deadline(Groups::iterator at, Time now, Actions& actions) {
  Group& group = at->second;
  const SourceFilter before = group.state.filter();
  if (querier_.other_is_overdue(now)) {
    group.state.raise(querier_.other_expires() + time_to_answer());
  }
  group.state.on_deadline(now);
  group.listeners.forget_expired(now);
  if (group.state.empty() || !is_querier()) {
    group.pending.clear();
  } else {
    ask_again(at->first, group, now, actions);
  }
  settle(at, before, actions);
}

void Router::settle(Groups::iterator at, const SourceFilter& before, Actions& actions) {
  if (SourceFilter after = at->second.state.filter(); !(after == before)) {
    actions.push_back(FilterChanged{at->first, std::move(after)});
  }
  if (at->second.state.empty()) {
    due_.erase({at->second.due, at->first});
    groups_.erase(at);
    return;
  }
  file(at);
}

void Router::file(Groups::iterator at) {
  Group& group = at->second;
  const Time due = std::min(group.state.next_deadline(), group.pending.next_deadline());
  if (due != group.due) {
    due_.erase({group.due, at->first});
    due_.insert({due, at->first});
    group.due = due;
  }
}

void Router::leave_all(Actions& actions) {
  for (const auto& [address, group] : groups_) {
    actions.push_back(FilterChanged{address, {}});
  }
  groups_.clear();
  due_.clear();
}

Duration Router::time_to_answer() const {
  return querier_.timing().query_response_interval + querier_.timing().last_listener_query_interval;
}

Duration Router::listening_interval() const {
  return querier_.timing().multicast_address_listening_interval();
}

}  // namespace hearthcast::membership
