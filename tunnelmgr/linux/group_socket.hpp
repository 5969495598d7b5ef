// A socket that is a member of many multicast groups on many interfaces, and receives nothing: the kernel's
// calls for source filters (RFC 3678, protocol-independent ones) in one shape for both families.
//
// Every call returns an errno, 0 for done. One thread.
#pragma once

#include "tunnelmgr/base/source_filter.hpp"
#include "tunnelmgr/linux/failure.hpp"
#include "tunnelmgr/linux/fd.hpp"

namespace hearthcast::linux {

struct Membership {
  unsigned interface_index = 0;
  IpAddress group;
  friend auto operator<=>(const Membership&, const Membership&) = default;
};

class GroupSocket {
 public:
  [[nodiscard]] static Result<GroupSocket, KernelError> open(Family family);
  [[nodiscard]] Family family() const { return family_; }

  // From any source (EXCLUDE of nothing). ENOBUFS, ENOMEM: this socket has no room for another group.
  [[nodiscard]] int join(const Membership& membership);
  void leave(const Membership& membership);  // whatever its filter

  // Filter mode INCLUDE: the first source joins, leaving the last one leaves. ENOBUFS: no room for another.
  [[nodiscard]] int join_source(const Membership& membership, const IpAddress& source);
  [[nodiscard]] int leave_source(const Membership& membership, const IpAddress& source);
  // Filter mode EXCLUDE, of a joined group.
  [[nodiscard]] int block_source(const Membership& membership, const IpAddress& source);
  [[nodiscard]] int unblock_source(const Membership& membership, const IpAddress& source);
  // Mode and list of a joined group in one step. ENOBUFS: the list is too long.
  [[nodiscard]] int set_filter(const Membership& membership, FilterMode mode, const AddressSet& sources);

 private:
  GroupSocket(Fd fd, Family family) : fd_(std::move(fd)), family_(family) {}
  [[nodiscard]] int change(int option, const Membership& membership) const;
  [[nodiscard]] int change(int option, const Membership& membership, const IpAddress& source) const;

  Fd fd_;  // never bound: no datagram finds its way to it
  Family family_;
};

}  // namespace hearthcast::linux
