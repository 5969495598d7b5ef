// The host's side of membership in a tunnel (RFC 3810 section 6, RFC 3376 section 5): says what is wanted,
// repeats it until it is heard, answers queries.
//
// Not thread-safe. Every packet returned is a whole inner IP packet to seal and send without a GRE key.
// Changes are reported with the whole state of their group (TO_IN, TO_EX), so that any one copy that arrives
// is enough. Queries are answered at once: the random delay of the RFCs spares a link with many hosts, a
// tunnel has one.
#pragma once

#include <map>
#include <vector>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/membership/subscription.hpp"
#include "tunnelmgr/membership/timing.hpp"
#include "tunnelmgr/wire/membership_packet.hpp"

namespace hearthcast::membership {

class Listener {
 public:
  using Packets = std::vector<Buffer>;

  // `link_local`: the address that hello assigned. IGMP goes out from 0.0.0.0.
  explicit Listener(IpAddress link_local) : link_local_(link_local) {}

  // Each join needs a leave: several players, or two ports of one group, may want the same subscription.
  // Joining what cannot be asked for (no multicast, link scope, too many sources) does nothing and returns
  // nothing.
  [[nodiscard]] Packets join(const Subscription& wanted, Time now);
  [[nodiscard]] Packets leave(const Subscription& wanted, Time now);
  // The subscription was answered, by data or by a refusal: its repetition stops.
  void on_answer(const Subscription& wanted);
  // The other end knows nothing any more, or never did: a new session. Reports everything, with repetition.
  [[nodiscard]] Packets restart(IpAddress link_local, Time now);

  // The way to the other end is open again: what has no answer yet was perhaps never heard.
  [[nodiscard]] Packets on_path_back(Time now);

  [[nodiscard]] Packets on_packet(Bytes ip_packet);  // queries; all else is counted
  [[nodiscard]] Packets on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;

  [[nodiscard]] bool wants(const Subscription& wanted) const;
  [[nodiscard]] std::uint64_t ignored_packets() const { return ignored_; }

 private:
  struct Wanted {
    int count = 0;
    bool answered = false;
  };
  struct Group {
    std::map<std::optional<IpAddress>, Wanted> sources;  // nullopt: any source
    bool left_something = false;                         // a leave has no answer: repeat it to the end
    std::size_t repeats = kReportRepeats.size();         // done so far
    Time changed{};
  };

  void changed(Group& group, Time now);
  [[nodiscard]] static bool all_answered(const Group& group);
  [[nodiscard]] wire::GroupRecord state(const IpAddress& address, const Group& group, bool change) const;
  [[nodiscard]] Packets packets(const std::vector<wire::GroupRecord>& records) const;
  void append_answer(const wire::MembershipQuery& query, Family family,
                     std::vector<wire::GroupRecord>& records) const;

  IpAddress link_local_;
  std::map<IpAddress, Group> groups_;
  std::uint64_t ignored_ = 0;
};

}  // namespace hearthcast::membership
