#include "tunnelmgr/wire/state_report.hpp"

#include <algorithm>

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

}  // namespace

std::vector<Buffer> encode_state_report(const std::map<IpAddress, SourceFilter>& groups, const IpAddress& own,
                                        int version, std::size_t max_packet) {
  const bool knows_sources = version >= (own.is_ip4() ? kNewestIgmp : kNewestMld);
  Packer packer(own, max_packet);
  std::vector<Buffer> old_packets;
  for (const auto& [group, filter] : groups) {
    if (group.family() != own.family() || group.is_link_scope_multicast() || filter.wants_nothing()) {
      continue;
    }
    if (knows_sources) {
      packer.add(group, filter);
    } else {
      old_packets.push_back(encode_membership_packet({own, group, OldReport{version, group}}));
    }
  }
  return knows_sources ? packer.finish() : old_packets;
}

}  // namespace hearthcast::wire
