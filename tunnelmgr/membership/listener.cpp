#include "tunnelmgr/membership/listener.hpp"

#include <algorithm>

namespace hearthcast::membership {
namespace {

using wire::GroupRecord;
using wire::RecordType;

// A report stays below this many octets of group records, so that its packet passes every path.
constexpr std::size_t kMaxRecordOctets = 1100;

std::size_t octets(const GroupRecord& record) {
  return 4 + record.group.bytes().size() * (1 + record.sources.size());
}

bool can_be_asked_for(const Subscription& wanted) {
  return wanted.group.is_multicast() && !wanted.group.is_link_scope_multicast() &&
         (!wanted.source || wanted.source->family() == wanted.group.family());
}

}  // namespace

Listener::Packets Listener::join(const Subscription& wanted, Time now) {
  if (!can_be_asked_for(wanted)) {
    return {};
  }
  Group& group = groups_[wanted.group];
  if (group.sources.size() >= kTunnelLimits.sources && !group.sources.contains(wanted.source)) {
    return {};
  }
  if (++group.sources[wanted.source].count > 1) {
    return {};
  }
  changed(group, now);
  return packets({state(wanted.group, group, true)});
}

Listener::Packets Listener::leave(const Subscription& wanted, Time now) {
  const auto at = groups_.find(wanted.group);
  if (at == groups_.end()) {
    return {};
  }
  Group& group = at->second;
  const auto source = group.sources.find(wanted.source);
  if (source == group.sources.end() || --source->second.count > 0) {
    return {};
  }
  group.sources.erase(source);
  group.left_something = true;
  changed(group, now);
  return packets({state(wanted.group, group, true)});
}

void Listener::on_answer(const Subscription& wanted) {
  const auto at = groups_.find(wanted.group);
  if (at == groups_.end()) {
    return;
  }
  Group& group = at->second;
  if (const auto source = group.sources.find(wanted.source); source != group.sources.end()) {
    source->second.answered = true;
  }
  if (!group.left_something && all_answered(group)) {
    group.repeats = kReportRepeats.size();
  }
}

Listener::Packets Listener::restart(IpAddress link_local, Time now) {
  link_local_ = link_local;
  std::erase_if(groups_, [](const auto& group) { return group.second.sources.empty(); });
  std::vector<GroupRecord> records;
  for (auto& [address, group] : groups_) {
    for (auto& [source, wanted] : group.sources) {
      wanted.answered = false;
    }
    group.left_something = false;
    changed(group, now);
    records.push_back(state(address, group, true));
  }
  return packets(records);
}

Listener::Packets Listener::on_path_back(Time now) {
  std::vector<GroupRecord> records;
  for (auto& [address, group] : groups_) {
    if (!all_answered(group)) {
      changed(group, now);
      records.push_back(state(address, group, true));
    }
  }
  return packets(records);
}

Listener::Packets Listener::on_packet(Bytes ip_packet) {
  const auto packet = wire::decode_membership_packet(ip_packet);
  const auto* query = packet ? std::get_if<wire::MembershipQuery>(&packet->message) : nullptr;
  if (query == nullptr) {
    ++ignored_;
    return {};
  }
  std::vector<GroupRecord> records;
  append_answer(*query, packet->source.family(), records);
  return packets(records);
}

Listener::Packets Listener::on_deadline(Time now) {
  std::vector<GroupRecord> records;
  for (auto at = groups_.begin(); at != groups_.end();) {
    Group& group = at->second;
    if (group.repeats < kReportRepeats.size() && group.changed + kReportRepeats[group.repeats] <= now) {
      records.push_back(state(at->first, group, true));
      while (group.repeats < kReportRepeats.size() && group.changed + kReportRepeats[group.repeats] <= now) {
        ++group.repeats;
      }
    }
    const bool done = group.repeats == kReportRepeats.size();
    if (done) {
      group.left_something = false;
    }
    at = done && group.sources.empty() ? groups_.erase(at) : std::next(at);
  }
  return packets(records);
}

Time Listener::next_deadline() const {
  Time next = kNever;
  for (const auto& [address, group] : groups_) {
    if (group.repeats < kReportRepeats.size()) {
      next = std::min<Time>(next, group.changed + kReportRepeats[group.repeats]);
    }
  }
  return next;
}

bool Listener::all_answered(const Group& group) {
  return std::ranges::all_of(group.sources, [](const auto& source) { return source.second.answered; });
}

bool Listener::wants(const Subscription& wanted) const {
  const auto at = groups_.find(wanted.group);
  return at != groups_.end() && at->second.sources.contains(wanted.source);
}

void Listener::changed(Group& group, Time now) {
  group.repeats = 0;
  group.changed = now;
}

// Any-source wins over single sources: EXCLUDE of nothing asks for them too.
GroupRecord Listener::state(const IpAddress& address, const Group& group, bool change) const {
  GroupRecord record{change ? RecordType::kChangeToInclude : RecordType::kModeIsInclude, address};
  for (const auto& [source, wanted] : group.sources) {
    if (!source) {
      record.type = change ? RecordType::kChangeToExclude : RecordType::kModeIsExclude;
      record.sources.clear();
      return record;
    }
    record.sources.push_back(*source);
  }
  return record;
}

// RFC 3810 section 6.2 and 6.3.
void Listener::append_answer(const wire::MembershipQuery& query, Family family,
                             std::vector<GroupRecord>& records) const {
  for (const auto& [address, group] : groups_) {
    const bool asked = query.group.is_unspecified() ? address.family() == family : address == query.group;
    if (!asked || group.sources.empty()) {
      continue;
    }
    GroupRecord record = state(address, group, false);
    if (!query.sources.empty()) {
      const auto all = std::move(record.sources);
      const bool any = record.type == RecordType::kModeIsExclude;
      record.type = RecordType::kModeIsInclude;
      record.sources.clear();
      std::copy_if(
          query.sources.begin(), query.sources.end(), std::back_inserter(record.sources),
          [&](const IpAddress& s) { return any || std::find(all.begin(), all.end(), s) != all.end(); });
      if (record.sources.empty()) {
        continue;
      }
    }
    records.push_back(std::move(record));
  }
}

Listener::Packets Listener::packets(const std::vector<GroupRecord>& records) const {
  Packets out;
  for (const Family family : {Family::kIp4, Family::kIp6}) {
    const bool ip4 = family == Family::kIp4;
    const IpAddress source = ip4 ? IpAddress::any(family) : link_local_;
    const IpAddress& destination = ip4 ? wire::kAllIgmp3Routers : wire::kAllMld2Routers;
    wire::MembershipReport report;
    std::size_t size = 0;
    const auto flush = [&] {
      if (!report.records.empty()) {
        out.push_back(wire::encode_membership_packet({source, destination, std::move(report)}));
        report = {};
        size = 0;
      }
    };
    for (const GroupRecord& record : records) {
      if (record.group.family() != family) {
        continue;
      }
      if (size + octets(record) > kMaxRecordOctets) {
        flush();
      }
      size += octets(record);
      report.records.push_back(record);
    }
    flush();
  }
  return out;
}

}  // namespace hearthcast::membership
