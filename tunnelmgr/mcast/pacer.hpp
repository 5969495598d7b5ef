// When the next packets of a sender are due: evenly spaced, and after a delay no more than a small burst.
#pragma once

#include <cstdint>

#include "tunnelmgr/base/time.hpp"

namespace hearthcast::mcast {

class Pacer {
 public:
  static constexpr std::uint64_t kBurst = 64;

  // per_second 0: as fast as the caller asks. count 0: without end.
  Pacer(double per_second, std::uint64_t count, Time start);

  // How many packets to send now; they count as sent. At most kBurst; what a long delay missed beyond that
  // is sent in the next calls.
  [[nodiscard]] std::uint64_t take(Time now);
  [[nodiscard]] Time next_deadline() const;  // kNever when done
  [[nodiscard]] bool done() const { return count_ != 0 && sent_ >= count_; }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }

 private:
  double per_second_;
  std::uint64_t count_;
  Time start_;
  std::uint64_t sent_ = 0;
};

}  // namespace hearthcast::mcast
