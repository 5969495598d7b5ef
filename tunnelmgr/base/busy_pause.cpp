#include "tunnelmgr/base/busy_pause.hpp"

#include <algorithm>

namespace hearthcast {

void BusyPause::on_turn(std::uint64_t total, Time now) {
  using Seconds = std::chrono::duration<double>;
  const Seconds passed = now - window_begin_;
  if (passed < kWindow) {
    return;
  }
  const double rate = static_cast<double>(total - total_then_) / passed.count();
  pause_ = rate < kMany ? Duration{}
                        : std::min<Duration>(longest_,
                                             std::chrono::duration_cast<Duration>(Seconds(kGathered / rate)));
  window_begin_ = now;
  total_then_ = total;
}

}  // namespace hearthcast
