#include "tunnelmgr/membership/old_router.hpp"

#include <algorithm>

namespace hearthcast::membership::old {
namespace {

using wire::RecordType;
using Wanted = std::set<std::optional<IpAddress>>;

// Joins first: a change of filter mode must not interrupt what both want.
void append_difference(const IpAddress& group, const Wanted& before, const Wanted& after, Actions& actions) {
  for (const auto& source : after) {
    if (!before.contains(source)) {
      actions.push_back(Joined{{source, group}});
    }
  }
  for (const auto& source : before) {
    if (!after.contains(source)) {
      actions.push_back(Left{{source, group}});
    }
  }
}

bool asks_for_something(RecordType type, const std::vector<IpAddress>& sources) {
  switch (type) {
    case RecordType::kModeIsExclude:
    case RecordType::kChangeToExclude:
      return true;
    case RecordType::kBlockOldSources:
      return false;
    default:
      return !sources.empty();
  }
}

bool is_current_state(RecordType type) {
  return type == RecordType::kModeIsInclude || type == RecordType::kModeIsExclude;
}

bool is_known(RecordType type) {
  return type >= RecordType::kModeIsInclude && type <= RecordType::kBlockOldSources;
}

}  // namespace

Router::Router(IpAddress link_local, Timing timing, Limits limits, Time now)
    : link_local_(link_local),
      timing_(timing),
      limits_(limits),
      startup_queries_(timing.robustness),
      next_query_(now),
      last_query_(now) {}

Actions Router::on_packet(Bytes ip_packet, Time now) {
  const auto packet = wire::decode_membership_packet(ip_packet);
  if (!packet) {
    ++counters_.dropped.at(static_cast<std::size_t>(packet.error()));
    return {};
  }
  Actions actions;
  bool& answered = answered_.at(static_cast<std::size_t>(packet->source.family()));
  answered = answered || !waits_for_answer(packet->source.family());  // what is new needs no confirmation yet
  if (const auto* report = std::get_if<wire::MembershipReport>(&packet->message)) {
    for (const wire::GroupRecord& record : report->records) {
      if (is_current_state(record.type)) {
        answered = true;
      }
      on_record(record.type, record.group, record.sources, now, actions);
    }
  } else if (const auto* old = std::get_if<wire::OldReport>(&packet->message)) {
    on_record(RecordType::kModeIsExclude, old->group, {}, now, actions);
  } else if (const auto* leave = std::get_if<wire::OldLeave>(&packet->message)) {
    on_record(RecordType::kChangeToInclude, leave->group, {}, now, actions);
  } else {
    ++counters_.foreign_queries;
    return {};
  }
  ++counters_.reports;
  return actions;
}

void Router::on_record(RecordType type, const IpAddress& group, std::vector<IpAddress> sources, Time now,
                       Actions& actions) {
  if (!group.is_multicast() || group.is_link_scope_multicast()) {
    ++counters_.ignored_groups;
    return;
  }
  if (!is_known(type)) {
    ++counters_.ignored_records;
    return;
  }
  std::erase_if(sources, [](const IpAddress& s) { return s.is_multicast() || s.is_unspecified(); });
  if (asks_for_something(type, sources)) {
    if (!within_limits(group, sources, actions)) {
      return;
    }
  } else if (!groups_.contains(group)) {
    return;
  }
  GroupState& state = groups_[group];
  const Wanted before = state.wanted();
  state.on_record(type, sources, now + timing_.multicast_address_listening_interval());
  append_difference(group, before, state.wanted(), actions);
  if (state.empty()) {
    groups_.erase(group);
  }
}

// Cuts what is over the limit of sources; false when the group itself is over its limit.
bool Router::within_limits(const IpAddress& group, std::vector<IpAddress>& sources, Actions& actions) {
  const auto at = groups_.find(group);
  if (at == groups_.end() && groups_.size() >= limits_.groups) {
    ++counters_.over_limit;
    actions.push_back(OverLimit{{sources.empty() ? std::nullopt : std::optional(sources.front()), group}});
    return false;
  }
  std::set<IpAddress> known;
  if (at != groups_.end()) {
    known = at->second.requested();
    known.insert(at->second.excluded().begin(), at->second.excluded().end());
  }
  std::erase_if(sources, [&](const IpAddress& source) {
    if (known.contains(source)) {
      return false;
    }
    if (known.size() >= limits_.sources) {
      ++counters_.over_limit;
      actions.push_back(OverLimit{{source, group}});
      return true;
    }
    known.insert(source);
    return false;
  });
  return true;
}

Actions Router::on_deadline(Time now) {
  Actions actions;
  for (auto at = groups_.begin(); at != groups_.end();) {
    const Wanted before = at->second.wanted();
    at->second.on_deadline(now);
    append_difference(at->first, before, at->second.wanted(), actions);
    at = at->second.empty() ? groups_.erase(at) : std::next(at);
  }
  if (next_query_ <= now) {
    const bool starting = startup_queries_ > 1;
    startup_queries_ -= starting ? 1 : 0;
    last_query_ = now;
    next_query_ = now + (starting ? timing_.startup_query_interval()
                                  : std::chrono::milliseconds(timing_.query_interval));
    query_repeats_ = 0;
    answered_ = {};
    append_query(Family::kIp6, actions);
    append_query(Family::kIp4, actions);
  } else if (query_repeats_ < kQueryRepeats.size() && last_query_ + kQueryRepeats[query_repeats_] <= now) {
    ++query_repeats_;
    for (const Family family : {Family::kIp6, Family::kIp4}) {
      if (waits_for_answer(family)) {
        append_query(family, actions);
      }
    }
  }
  return actions;
}

Time Router::next_deadline() const {
  Time next = next_query_;
  if (query_repeats_ < kQueryRepeats.size() &&
      (waits_for_answer(Family::kIp6) || waits_for_answer(Family::kIp4))) {
    next = std::min<Time>(next, last_query_ + kQueryRepeats[query_repeats_]);
  }
  for (const auto& [group, state] : groups_) {
    next = std::min(next, state.next_deadline());
  }
  return next;
}

Actions Router::close() {
  Actions actions;
  for (const auto& [group, state] : groups_) {
    append_difference(group, state.wanted(), {}, actions);
  }
  groups_.clear();
  return actions;
}

std::vector<Subscription> Router::subscriptions() const {
  std::vector<Subscription> all;
  for (const auto& [group, state] : groups_) {
    for (const auto& source : state.wanted()) {
      all.push_back({source, group});
    }
  }
  return all;
}

bool Router::waits_for_answer(Family family) const {
  return !answered_.at(static_cast<std::size_t>(family)) &&
         std::any_of(groups_.begin(), groups_.end(),
                     [&](const auto& group) { return group.first.family() == family; });
}

void Router::append_query(Family family, Actions& actions) const {
  const bool ip4 = family == Family::kIp4;
  const wire::MembershipQuery query{.version = ip4 ? 3 : 2,
                                    .max_response = timing_.query_response_interval,
                                    .group = IpAddress::any(family),
                                    .robustness = static_cast<std::uint8_t>(timing_.robustness),
                                    .query_interval = timing_.query_interval};
  actions.push_back(SendPacket{wire::encode_membership_packet(
      {ip4 ? IpAddress::any(family) : link_local_, ip4 ? wire::kAllHosts4 : wire::kAllNodes6, query})});
}

}  // namespace hearthcast::membership::old
