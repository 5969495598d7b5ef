// What reaches a router from outside, and time. What records do to groups: router_groups.cpp.
#include "tunnelmgr/membership/router.hpp"

#include <algorithm>
#include <cassert>

#include "tunnelmgr/membership/query_packets.hpp"
#include "tunnelmgr/wire/membership_packet.hpp"

namespace hearthcast::membership {
namespace {

using wire::RecordType;

Family family_of(Bytes ip_packet) {
  return !ip_packet.empty() && ip_packet[0] >> 4 == 4 ? Family::kIp4 : Family::kIp6;
}

}  // namespace

Router::Router(RouterSettings settings, std::optional<IpAddress> own_address, Time now)
    : settings_(std::move(settings)), querier_(settings_.timing, own_address, now) {
  assert(!own_address || own_address->family() == settings_.family);
}

Actions Router::on_packet(Bytes ip_packet, Time now) {
  Actions actions;
  if (closed_ || !querier_.link_up() || family_of(ip_packet) != settings_.family) {
    return actions;
  }
  const auto packet = wire::decode_membership_packet(ip_packet);
  if (!packet) {
    ++counters_.dropped.at(static_cast<std::size_t>(packet.error()));
    return actions;
  }
  if (groups_.empty()) {
    querier_.on_answer();  // what is new needs no confirmation yet
  }
  const IpAddress& host = packet->source;
  if (const auto* report = std::get_if<wire::MembershipReport>(&packet->message)) {
    ++counters_.reports;
    on_report(host, *report, now, actions);
  } else if (const auto* old = std::get_if<wire::OldReport>(&packet->message)) {
    ++counters_.old_reports;
    querier_.on_answer();
    on_record(host, {RecordType::kModeIsExclude, old->group}, old->version, now, actions);
  } else if (const auto* leave = std::get_if<wire::OldLeave>(&packet->message)) {
    ++counters_.leaves;
    const int version = newest_version(settings_.family) - 1;
    on_record(host, {RecordType::kChangeToInclude, leave->group}, version, now, actions);
  } else {
    on_query(host, std::get<wire::MembershipQuery>(packet->message), now, actions);
  }
  tell_querier(now, actions);
  return actions;
}

void Router::on_report(const IpAddress& host, const wire::MembershipReport& report, Time now,
                       Actions& actions) {
  for (const wire::GroupRecord& record : report.records) {
    if (record.type == RecordType::kModeIsInclude || record.type == RecordType::kModeIsExclude) {
      querier_.on_answer();
    }
    on_record(host, record, 0, now, actions);
  }
}

// RFC 3810 section 7.6, RFC 3376 section 6.6.
void Router::on_query(const IpAddress& source, const wire::MembershipQuery& query, Time now,
                      Actions& actions) {
  if (settings_.tracking == Tracking::kPointToPoint) {
    ++counters_.queries_of_hosts;
    return;
  }
  if (source == querier_.own_address()) {
    ++counters_.own_queries;
    return;
  }
  if (source.is_unspecified()) {
    ++counters_.unspecified_queries;
    return;
  }
  ++counters_.queries_heard;
  counters_.other_version_queries += query.version != query_version() ? 1 : 0;
  querier_.on_query(source, query, now);
  const auto at = groups_.find(query.group);
  if (query.suppress || at == groups_.end()) {
    return;
  }
  // The other router goes by its own last listener query time; hosts answer within what its query allows.
  const Duration patience = std::max<Duration>(querier_.timing().robustness * query.max_response,
                                               settings_.timing.last_listener_query_time());
  const SourceFilter before = at->second.state.filter();
  (void)at->second.state.lower({.group = query.sources.empty(), .sources = query.sources}, now + patience);
  settle(at, before, actions);
}

Actions Router::on_address(std::optional<IpAddress> own_address, Time now) {
  querier_.on_address(own_address, now);
  return on_deadline(now);
}

Actions Router::on_link(bool up, Time now) {
  querier_.on_link(up && !closed_, now);
  Actions actions;
  if (!up) {
    leave_all(actions);
  }
  for (Action& action : on_deadline(now)) {
    actions.push_back(std::move(action));
  }
  return actions;
}

Actions Router::on_settings(RouterSettings settings, Time now) {
  assert(settings.family == settings_.family && settings.tracking == settings_.tracking);
  const bool other_version = settings.querier_version != settings_.querier_version;
  settings_ = std::move(settings);
  querier_.on_timing(settings_.timing, other_version, now);
  return on_deadline(now);
}

Actions Router::ask_if_quiet(Time now) {
  querier_.ask_if_quiet(!groups_.empty(), now);
  return on_deadline(now);
}

Actions Router::on_deadline(Time now) {
  Actions actions;
  // First: who becomes querier now must not lose memberships that it had no chance to ask about.
  const bool ask = querier_.on_deadline(!groups_.empty(), now);
  tell_querier(now, actions);
  while (!due_.empty() && due_.begin()->first <= now) {
    const auto at = groups_.find(due_.begin()->second);
    assert(at != groups_.end());
    group_deadline(at, now, actions);
  }
  if (ask) {
    ++counters_.general_queries_sent;
    actions.push_back(SendPacket{
        general_query({*querier_.own_address(), query_version(), settings_.packet_size}, querier_.timing())});
  }
  return actions;
}

Time Router::next_deadline() const {
  const Time next = querier_.next_deadline(!groups_.empty());
  return due_.empty() ? next : std::min(next, due_.begin()->first);
}

Actions Router::close() {
  Actions actions;
  closed_ = true;
  leave_all(actions);
  querier_.on_link(false, Time{});
  return actions;
}

void Router::tell_querier(Time now, Actions& actions) {
  QuerierChanged change{.self = is_querier(), .querier = querier_.address()};
  if (change == told_) {
    return;
  }
  if (change.self && !told_.self) {
    wait_for_answers(now);
  }
  told_ = change;
  actions.push_back(change);
}

// Whoever asked before is missed only after 255 s, and 5 s later its last answers run out, while ours may
// take 10 s: by the RFCs' times alone a change of querier interrupts.
void Router::wait_for_answers(Time now) {
  for (auto at = groups_.begin(); at != groups_.end(); ++at) {
    at->second.state.raise(now + time_to_answer());
    file(at);
  }
}

int Router::query_version() const {
  return settings_.querier_version == 0 ? newest_version(settings_.family) : settings_.querier_version;
}

}  // namespace hearthcast::membership
