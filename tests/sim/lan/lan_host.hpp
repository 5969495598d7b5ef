// A host on a simulated link that listens by MLDv1, MLDv2, IGMPv1, v2 or v3: written from the listener's
// chapters of the RFCs and sharing nothing with the product but the codec, so that it can judge the router's
// side.
#pragma once

#include <map>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include "tunnelmgr/base/source_filter.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/wire/membership_packet.hpp"

namespace hearthcast::sim {

class LanHost {
 public:
  using Packets = std::vector<Buffer>;

  // `robustness`: how often a change is reported in all.
  LanHost(Family family, int version, const IpAddress& address, int robustness, std::mt19937_64& random);

  // nullopt: any source, the only thing that older versions can say.
  [[nodiscard]] Packets join(const IpAddress& group, std::optional<IpAddress> source, Time now);
  [[nodiscard]] Packets leave(const IpAddress& group, std::optional<IpAddress> source, Time now);
  void vanish();  // unplugged: says nothing, wants nothing

  [[nodiscard]] Packets on_packet(Bytes ip_packet, Time now);
  [[nodiscard]] Packets on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;

  [[nodiscard]] bool is_newest() const { return version_ == (family_ == Family::kIp4 ? 3 : 2); }
  [[nodiscard]] bool says_when_it_leaves() const { return family_ == Family::kIp6 || version_ > 1; }
  [[nodiscard]] bool wants(const IpAddress& group, const IpAddress& source) const;
  [[nodiscard]] const std::map<IpAddress, std::set<std::optional<IpAddress>>>& wanted() const {
    return wanted_;
  }

 private:
  struct Answer {
    IpAddress group;  // unspecified: all groups
    std::vector<IpAddress> sources;
  };

  [[nodiscard]] Packets changed(const IpAddress& group, const SourceFilter& before, Time now);
  [[nodiscard]] SourceFilter filter(const IpAddress& group) const;
  void plan_answer(const wire::MembershipQuery& query, Time now);
  [[nodiscard]] Packets answer(const Answer& question) const;
  [[nodiscard]] Buffer encode(const wire::MembershipMessage& message, const IpAddress& destination) const;
  [[nodiscard]] Buffer records(std::vector<wire::GroupRecord> records) const;
  [[nodiscard]] Duration random_within(Duration longest);

  Family family_;
  int version_;
  IpAddress address_;
  int robustness_;
  std::mt19937_64& random_;
  std::map<IpAddress, std::set<std::optional<IpAddress>>> wanted_;
  std::multimap<Time, Answer> answers_;
  std::multimap<Time, Buffer> repeats_;  // of reported changes
};

}  // namespace hearthcast::sim
