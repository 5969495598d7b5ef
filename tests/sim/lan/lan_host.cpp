#include "tests/sim/lan/lan_host.hpp"

#include <algorithm>

namespace hearthcast::sim {

using namespace std::chrono_literals;
using wire::GroupRecord;
using wire::RecordType;

LanHost::LanHost(Family family, int version, const IpAddress& address, int robustness,
                 std::mt19937_64& random)
    : family_(family), version_(version), address_(address), robustness_(robustness), random_(random) {}

LanHost::Packets LanHost::join(const IpAddress& group, std::optional<IpAddress> source, Time now) {
  const SourceFilter before = filter(group);
  wanted_[group].insert(is_newest() ? source : std::nullopt);
  return changed(group, before, now);
}

LanHost::Packets LanHost::leave(const IpAddress& group, std::optional<IpAddress> source, Time now) {
  const SourceFilter before = filter(group);
  auto& sources = wanted_[group];
  sources.erase(is_newest() ? source : std::nullopt);
  if (sources.empty()) {
    wanted_.erase(group);
  }
  return changed(group, before, now);
}

void LanHost::vanish() {
  wanted_.clear();
  answers_.clear();
  repeats_.clear();
}

bool LanHost::wants(const IpAddress& group, const IpAddress& source) const {
  const auto at = wanted_.find(group);
  return at != wanted_.end() && (at->second.contains(std::nullopt) || at->second.contains(source));
}

SourceFilter LanHost::filter(const IpAddress& group) const {
  const auto at = wanted_.find(group);
  SourceFilter filter;
  if (at == wanted_.end()) {
    return filter;
  }
  for (const auto& source : at->second) {
    if (!source) {
      return SourceFilter::any_source();
    }
    filter.sources.insert(*source);
  }
  return filter;
}

// A change of mode is told with the new mode, a change of sources as ALLOW and BLOCK.
LanHost::Packets LanHost::changed(const IpAddress& group, const SourceFilter& before, Time now) {
  const SourceFilter after = filter(group);
  if (after == before) {
    return {};
  }
  Buffer packet;
  if (!is_newest()) {
    if (after.wants_nothing() && !says_when_it_leaves()) {
      repeats_.clear();
      return {};
    }
    packet = after.wants_nothing()
                 ? encode(wire::OldLeave{group},
                          *IpAddress::parse(family_ == Family::kIp4 ? "224.0.0.2" : "ff02::2"))
                 : encode(wire::OldReport{version_, group}, group);
    repeats_.clear();  // of the opposite
  } else if (after.mode != before.mode) {
    packet = records(
        {{after.mode == FilterMode::kExclude ? RecordType::kChangeToExclude : RecordType::kChangeToInclude,
          group,
          {after.sources.begin(), after.sources.end()}}});
    repeats_.clear();
  } else {
    GroupRecord allow{RecordType::kAllowNewSources, group};
    GroupRecord block{RecordType::kBlockOldSources, group};
    std::set_difference(after.sources.begin(), after.sources.end(), before.sources.begin(),
                        before.sources.end(), std::back_inserter(allow.sources));
    std::set_difference(before.sources.begin(), before.sources.end(), after.sources.begin(),
                        after.sources.end(), std::back_inserter(block.sources));
    packet = records({allow.sources.empty() ? block : allow});
    repeats_.clear();
  }
  for (int i = 1; i < robustness_; ++i) {
    repeats_.emplace(now + random_within(is_newest() ? 1s : 10s), packet);
  }
  return {packet};
}

LanHost::Packets LanHost::on_packet(Bytes ip_packet, Time now) {
  const auto packet = wire::decode_membership_packet(ip_packet);
  if (!packet || packet->source.family() != family_) {
    return {};
  }
  if (const auto* query = std::get_if<wire::MembershipQuery>(&packet->message)) {
    plan_answer(*query, now);
  } else if (const auto* report = std::get_if<wire::OldReport>(&packet->message);
             report != nullptr && !is_newest() && report->version <= version_) {
    // Somebody said it already, in a version that this host knows.
    std::erase_if(answers_, [&](const auto& answer) { return answer.second.group == report->group; });
  }
  return {};
}

void LanHost::plan_answer(const wire::MembershipQuery& query, Time now) {
  const Duration longest = family_ == Family::kIp4 && version_ == 1 ? Duration(10s) : query.max_response;
  if (is_newest()) {
    answers_.emplace(now + random_within(longest), Answer{query.group, query.sources});
    return;
  }
  for (const auto& [group, sources] : wanted_) {
    if (query.group.is_unspecified() || query.group == group) {
      answers_.emplace(now + random_within(longest), Answer{group, {}});
    }
  }
}

LanHost::Packets LanHost::answer(const Answer& question) const {
  Packets out;
  for (const auto& [group, sources] : wanted_) {
    if (!question.group.is_unspecified() && question.group != group) {
      continue;
    }
    if (!is_newest()) {
      out.push_back(encode(wire::OldReport{version_, group}, group));
      continue;
    }
    const SourceFilter mine = filter(group);
    GroupRecord record{
        mine.mode == FilterMode::kExclude ? RecordType::kModeIsExclude : RecordType::kModeIsInclude,
        group,
        {mine.sources.begin(), mine.sources.end()}};
    if (!question.sources.empty()) {
      record = {RecordType::kModeIsInclude, group};
      std::copy_if(question.sources.begin(), question.sources.end(), std::back_inserter(record.sources),
                   [&](const IpAddress& source) { return mine.admits(source); });
      if (record.sources.empty()) {
        continue;
      }
    }
    out.push_back(records({record}));
  }
  return out;
}

LanHost::Packets LanHost::on_deadline(Time now) {
  Packets out;
  while (!repeats_.empty() && repeats_.begin()->first <= now) {
    out.push_back(repeats_.begin()->second);
    repeats_.erase(repeats_.begin());
  }
  while (!answers_.empty() && answers_.begin()->first <= now) {
    const Answer question = answers_.begin()->second;
    answers_.erase(answers_.begin());
    for (Buffer& packet : answer(question)) {
      out.push_back(std::move(packet));
    }
  }
  return out;
}

Time LanHost::next_deadline() const {
  return std::min(answers_.empty() ? kNever : answers_.begin()->first,
                  repeats_.empty() ? kNever : repeats_.begin()->first);
}

Buffer LanHost::encode(const wire::MembershipMessage& message, const IpAddress& destination) const {
  return wire::encode_membership_packet({address_, destination, message});
}

Buffer LanHost::records(std::vector<GroupRecord> records) const {
  return encode(wire::MembershipReport{std::move(records)},
                family_ == Family::kIp4 ? wire::kAllIgmp3Routers : wire::kAllMld2Routers);
}

Duration LanHost::random_within(Duration longest) {
  return std::chrono::microseconds(std::uniform_int_distribution<std::int64_t>(
      1, std::max<std::int64_t>(1, longest / std::chrono::microseconds(1)))(random_));
}

}  // namespace hearthcast::sim
