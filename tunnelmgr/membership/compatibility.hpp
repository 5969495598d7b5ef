// Hosts of older versions in one group: which version the group is served in, and what of newer records
// counts meanwhile (RFC 3810 section 8.3.2, RFC 3376 section 7.3.2).
#pragma once

#include <optional>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/wire/membership_message.hpp"

namespace hearthcast::membership {

[[nodiscard]] constexpr int newest_version(Family family) { return family == Family::kIp4 ? 3 : 2; }

class Compatibility {
 public:
  // A report of an older version; `until`: when that host is taken for gone without another.
  void on_old_report(int version, Time until);
  [[nodiscard]] int version(Family family, Time now) const;

 private:
  Time version1_until_{};
  Time version2_until_{};  // IGMPv2; MLDv2 is no older version
};

// The record as it counts in a group that is served in `version`; nullopt: not at all. BLOCK and the sources
// of TO_EX mean nothing where older hosts cannot say which sources they want; and where IGMPv1 hosts are,
// that never say that they leave, nobody's leave counts.
[[nodiscard]] std::optional<wire::GroupRecord> translate(wire::GroupRecord record, Family family,
                                                         int version);

}  // namespace hearthcast::membership
