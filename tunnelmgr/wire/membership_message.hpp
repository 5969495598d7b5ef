// What MLD and IGMP say, alike for both families: mld.hpp and igmp.hpp turn it into octets and back.
//
// Addresses are all of one family. Values are what the wire can express: see the codecs for the rounding of
// times.
#pragma once

#include <chrono>
#include <cstdint>
#include <variant>
#include <vector>

#include "tunnelmgr/base/address.hpp"

namespace hearthcast::wire {

// RFC 3810 section 5.2.12, RFC 3376 section 4.2.12: the same numbers. Decoding keeps numbers that are none of
// these.
enum class RecordType : std::uint8_t {
  kModeIsInclude = 1,
  kModeIsExclude = 2,
  kChangeToInclude = 3,
  kChangeToExclude = 4,
  kAllowNewSources = 5,
  kBlockOldSources = 6,
};

struct GroupRecord {
  RecordType type = RecordType::kModeIsInclude;
  IpAddress group;
  std::vector<IpAddress> sources = {};
  friend bool operator==(const GroupRecord&, const GroupRecord&) = default;
};

struct MembershipQuery {
  int version = 2;                              // MLD 1, 2; IGMP 1, 2, 3
  std::chrono::milliseconds max_response = {};  // 0 in IGMPv1, whose hosts take 10 s
  IpAddress group;                              // unspecified: a general query
  bool suppress = false;                        // from here on only in MLDv2 and IGMPv3
  std::uint8_t robustness = 0;                  // 0: more than 7, or not told
  std::chrono::seconds query_interval = {};
  std::vector<IpAddress> sources = {};
  friend bool operator==(const MembershipQuery&, const MembershipQuery&) = default;
};

// MLDv2 or IGMPv3.
struct MembershipReport {
  std::vector<GroupRecord> records = {};
  friend bool operator==(const MembershipReport&, const MembershipReport&) = default;
};

// MLDv1, IGMPv1 or IGMPv2: the group is wanted, from any source.
struct OldReport {
  int version = 1;
  IpAddress group;
  friend bool operator==(const OldReport&, const OldReport&) = default;
};

// MLDv1's Done, IGMPv2's Leave Group.
struct OldLeave {
  IpAddress group;
  friend bool operator==(const OldLeave&, const OldLeave&) = default;
};

using MembershipMessage = std::variant<MembershipQuery, MembershipReport, OldReport, OldLeave>;

}  // namespace hearthcast::wire
