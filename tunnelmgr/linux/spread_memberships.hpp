// How the groups of upstream memberships are spread over sockets, so that each stays within the kernel's
// limits: the part of UpstreamMemberships that changes what the kernel holds.
//
// A group that includes sources has one part or more, each on another socket; the kernel merges them. A group
// that excludes has one. Moves between sockets change nothing at the interface, and so nothing is reported.
#pragma once

#include <cstddef>
#include <limits>
#include <list>
#include <map>
#include <vector>

#include "tunnelmgr/base/source_filter.hpp"
#include "tunnelmgr/linux/group_socket.hpp"
#include "tunnelmgr/linux/netd_client.hpp"

namespace hearthcast::linux {

class SpreadMemberships {
 public:
  explicit SpreadMemberships(NetdClient& netd) : netd_(&netd) {}

  struct Holder {
    GroupSocket socket;
    std::size_t held = 0;  // memberships
    bool full = false;
  };
  using Holders = std::list<Holder>;
  // One socket's share of a group.
  struct Part {
    Holders::iterator holder;
    AddressSet sources;                                           // included here; or excluded
    std::size_t limit = std::numeric_limits<std::size_t>::max();  // sources that it was found to take
  };
  struct Group {
    SourceFilter filter;    // as asked for
    bool excludes = false;  // the first part is in mode EXCLUDE, then the only one that stays
    std::vector<Part> parts;
  };

  [[nodiscard]] std::map<Membership, Group>& groups() { return groups_; }
  [[nodiscard]] std::size_t sockets() const { return holders_.size(); }

  // Brings the kernel from what the group has to that filter, whatever its mode. An errno, 0 for done; ENODEV
  // when the interface is gone. Fewer excluded than asked for (the list was too long) is 0, too.
  [[nodiscard]] int bring_to(const Membership& at, Group& group, const SourceFilter& filter);
  void leave(const Membership& at, Group& group) { drop_parts(at, group, 0); }

 private:
  template <class Join>
  int place(const Membership& at, Group& group, Join join);
  int include_source(const Membership& at, Group& group, const IpAddress& source);
  int include_only(const Membership& at, Group& group, const AddressSet& sources);
  int turn_to_include(const Membership& at, Group& group, const AddressSet& sources);
  int exclude(const Membership& at, Group& group, const AddressSet& sources);
  int turn_to_exclude(const Membership& at, Group& group, const AddressSet& sources);

  void drop_source(const Membership& at, Group& group, const IpAddress& source);
  void drop_parts(const Membership& at, Group& group, std::size_t from);
  bool move_last_part(const Membership& at, Group& group);
  void release(const Part& part);
  bool raise_limit(Family family, std::size_t sources);

  NetdClient* netd_;
  Holders holders_;
  std::map<Membership, Group> groups_;
};

[[nodiscard]] bool is_full(int error);  // the kernel's ways of saying that a socket has no room
[[nodiscard]] bool is_gone(int error);

}  // namespace hearthcast::linux
