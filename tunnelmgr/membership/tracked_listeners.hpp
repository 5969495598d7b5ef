// Who wants what of one group: explicit tracking of the hosts on a link, each with a state of its own. MLDv2
// and IGMPv3 hosts do not suppress their reports, so this is possible; the RFCs leave it to the router.
#pragma once

#include <map>

#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/membership/group_state.hpp"
#include "tunnelmgr/membership/timing.hpp"

namespace hearthcast::membership {

class TrackedListeners {
 public:
  struct Listener {
    GroupState state;
    Time heard{};
  };

  // The same record that the group's state takes, as the word of one host: what it leaves, it left. `until`
  // as for GroupState. A host beyond `limit` is not kept, but known to exist.
  void on_record(const IpAddress& host, const wire::GroupRecord& record, Time until, Time now,
                 const Limits& limits);
  // Somebody wants the group who cannot be told apart from others: a host of an older version, which keeps
  // silent when another one reports, or one without an address.
  void on_hidden(Time until) { hidden_until_ = until; }
  // There may be listeners that are not known one by one.
  [[nodiscard]] bool has_hidden(Time now) const { return hidden_until_ > now; }
  // What of it none of the known ones wants any more.
  [[nodiscard]] Ask unwanted(const Ask& ask, Time now) const;
  // The single sources that known ones want, with the latest of their timers. The group's state forgets them
  // while somebody wants any source.
  [[nodiscard]] std::map<IpAddress, Time> included(Time now) const;
  void forget_expired(Time now);

  [[nodiscard]] const std::map<IpAddress, Listener>& all() const { return listeners_; }

 private:
  std::map<IpAddress, Listener> listeners_;
  Time hidden_until_{};
};

}  // namespace hearthcast::membership
