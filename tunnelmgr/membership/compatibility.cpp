#include "tunnelmgr/membership/compatibility.hpp"

namespace hearthcast::membership {

using wire::RecordType;

void Compatibility::on_old_report(int version, Time until) {
  (version == 1 ? version1_until_ : version2_until_) = until;
}

int Compatibility::version(Family family, Time now) const {
  if (version1_until_ > now) {
    return 1;
  }
  return family == Family::kIp4 && version2_until_ > now ? 2 : newest_version(family);
}

std::optional<wire::GroupRecord> translate(wire::GroupRecord record, Family family, int version) {
  if (version >= newest_version(family)) {
    return record;
  }
  const bool igmp1 = family == Family::kIp4 && version == 1;
  if (record.type == RecordType::kBlockOldSources || (igmp1 && record.type == RecordType::kChangeToInclude)) {
    return std::nullopt;
  }
  if (record.type == RecordType::kChangeToExclude) {
    record.sources.clear();
  }
  return record;
}

}  // namespace hearthcast::membership
