// Whether two paths carry at once, and for how long. A path carries from a packet to the next as long as no
// more than kQuiet lies between; a change of path is clean when the old one is quiet soon after.
#pragma once

#include <algorithm>
#include <map>
#include <optional>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/time.hpp"

namespace hearthcast::sim {

class Overlap {
 public:
  static constexpr Duration kQuiet = std::chrono::seconds{1};

  // How long this path and another one have been carrying together.
  Duration on_packet(const Endpoint& path, Time now) {
    Carrying& this_one = paths_[path];
    if (!this_one.last || now - *this_one.last > kQuiet) {
      this_one.since = now;
    }
    this_one.last = now;
    Duration together{};
    for (const auto& [other, carrying] : paths_) {
      if (other != path && now - *carrying.last <= kQuiet) {
        together = std::max(together, *carrying.last - std::max(carrying.since, this_one.since));
      }
    }
    longest_ = std::max(longest_, together);
    std::erase_if(paths_, [&](const auto& entry) { return now - *entry.second.last > 10 * kQuiet; });
    return together;
  }
  [[nodiscard]] Duration longest() const { return longest_; }

 private:
  struct Carrying {
    Time since{};
    std::optional<Time> last;
  };
  std::map<Endpoint, Carrying> paths_;
  Duration longest_{};
};

}  // namespace hearthcast::sim
