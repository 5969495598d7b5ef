// Sees the packets of one group on a link without being a member of it: how long they go on after a leave.
// Needs CAP_NET_RAW. Belongs to one thread.
#pragma once

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/linux/fd.hpp"

namespace hearthcast::linux {

class GroupWatch {
 public:
  [[nodiscard]] static Result<GroupWatch, Failure> open(unsigned interface_index, const IpAddress& group);

  [[nodiscard]] int fd() const { return fd_.get(); }  // readable when a packet is there
  // Takes what waits, never blocking. When the last of them arrived, by the kernel, in nanoseconds since
  // 1970; nullopt without any. Only packets that come in count, not those that this machine sends.
  [[nodiscard]] std::optional<std::int64_t> last_arrival();

 private:
  explicit GroupWatch(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace hearthcast::linux
