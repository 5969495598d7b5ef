#include "tunnelmgr/wire/state_report.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace hearthcast::wire {
namespace {

constexpr int kNewestIgmp = 3;
constexpr int kNewestMld = 2;
// IPv4 with Router Alert and IGMPv3's beginning; IPv6 with hop-by-hop header and MLDv2's.
constexpr std::size_t kOverhead4 = 24 + 8;
constexpr std::size_t kOverhead6 = 48 + 8;

class Packer {
 public:
  Packer(const IpAddress& own, std::size_t max_packet)
      : own_(own), room_(max_packet - (own.is_ip4() ? kOverhead4 : kOverhead6)) {}

  void add(const IpAddress& group, const SourceFilter& filter) {
    const bool include = filter.mode == FilterMode::kInclude;
    GroupRecord record{include ? RecordType::kModeIsInclude : RecordType::kModeIsExclude, group};
    for (const IpAddress& source : filter.sources) {
      if (size_of(record) + source.bytes().size() > room_) {
        if (!include) {
          break;
        }
        put(std::exchange(record, {RecordType::kModeIsInclude, group}));
      }
      record.sources.push_back(source);
    }
    put(std::move(record));
  }

  [[nodiscard]] std::vector<Buffer> finish() {
    if (!report_.records.empty()) {
      const IpAddress& all_routers = own_.is_ip4() ? kAllIgmp3Routers : kAllMld2Routers;
      packets_.push_back(encode_membership_packet({own_, all_routers, std::exchange(report_, {})}));
    }
    used_ = 0;
    return std::move(packets_);
  }

 private:
  [[nodiscard]] static std::size_t size_of(const GroupRecord& record) {
    return 4 + record.group.bytes().size() * (1 + record.sources.size());
  }
  void put(GroupRecord record) {
    if (used_ + size_of(record) > room_) {
      packets_ = finish();
    }
    used_ += size_of(record);
    report_.records.push_back(std::move(record));
  }

  IpAddress own_;
  std::size_t room_;
  std::size_t used_ = 0;
  MembershipReport report_;
  std::vector<Buffer> packets_;
};

bool knows_sources(const IpAddress& own, int version) {
  return version >= (own.is_ip4() ? kNewestIgmp : kNewestMld);
}

std::vector<IpAddress> without(const AddressSet& sources, const AddressSet& those) {
  std::vector<IpAddress> rest;
  std::ranges::set_difference(sources, those, std::back_inserter(rest));
  return rest;
}

// Of a router of the newest version.
std::optional<GroupRecord> join_record(const IpAddress& group, const SourceFilter& before,
                                       const SourceFilter& wanted) {
  const bool excluded = before.mode == FilterMode::kExclude;
  if (wanted.mode == FilterMode::kExclude && !excluded) {
    return GroupRecord{RecordType::kChangeToExclude, group, {wanted.sources.begin(), wanted.sources.end()}};
  }
  if (wanted.mode != before.mode) {
    return std::nullopt;
  }
  auto more = excluded ? without(before.sources, wanted.sources) : without(wanted.sources, before.sources);
  if (more.empty()) {
    return std::nullopt;
  }
  return GroupRecord{RecordType::kAllowNewSources, group, std::move(more)};
}

}  // namespace

std::optional<Buffer> encode_join_report(const IpAddress& group, const SourceFilter& before,
                                         const SourceFilter& wanted, const IpAddress& own, int version,
                                         std::size_t max_packet) {
  if (group.family() != own.family() || !group.is_multicast() || group.is_link_scope_multicast() ||
      (own.is_ip6() && !own.is_link_local())) {
    return std::nullopt;
  }
  if (!knows_sources(own, version)) {
    const bool joins = before.wants_nothing() && !wanted.wants_nothing();
    return joins ? std::optional(encode_membership_packet({own, group, OldReport{version, group}}))
                 : std::nullopt;
  }
  auto record = join_record(group, before, wanted);
  if (!record) {
    return std::nullopt;
  }
  const std::size_t overhead = own.is_ip4() ? kOverhead4 : kOverhead6;
  const std::size_t address = group.bytes().size();
  const std::size_t fit = (max_packet - overhead - 4 - address) / address;
  record->sources.resize(std::min(record->sources.size(), fit));
  return encode_membership_packet(
      {own, own.is_ip4() ? kAllIgmp3Routers : kAllMld2Routers, MembershipReport{{std::move(*record)}}});
}

std::vector<Buffer> encode_state_report(const std::map<IpAddress, SourceFilter>& groups, const IpAddress& own,
                                        int version, std::size_t max_packet) {
  const bool with_sources = knows_sources(own, version);
  Packer packer(own, max_packet);
  std::vector<Buffer> old_packets;
  for (const auto& [group, filter] : groups) {
    if (group.family() != own.family() || group.is_link_scope_multicast() || filter.wants_nothing()) {
      continue;
    }
    if (with_sources) {
      packer.add(group, filter);
    } else {
      old_packets.push_back(encode_membership_packet({own, group, OldReport{version, group}}));
    }
  }
  return with_sources ? packer.finish() : old_packets;
}

}  // namespace hearthcast::wire
