// The two queues between a program's control thread and its data thread, as the data thread sees them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "tunnelmgr/linux/spsc_queue.hpp"

namespace hearthcast::datapath {

template <class Down, class Up>
class Mailbox {
 public:
  static constexpr std::size_t kCapacity = 4096;  // down
  // More, since the network fills it: a storm of 10,000 reports a second may wait while other programs have
  // the processor for a second and a half.
  static constexpr std::size_t kUpCapacity = 16384;
  // Of it, what anybody on the network may fill; the rest is for what sessions have to say.
  static constexpr std::size_t kUpOfAnybody = kUpCapacity / 4;

  // Control thread.
  [[nodiscard]] bool post(Down message) { return down_.push(std::move(message)); }
  template <class Take>
  void consume_up(Take&& take) {
    up_.consume(std::forward<Take>(take));
  }
  [[nodiscard]] int up_fd() const { return up_.fd(); }

  // Data thread.
  [[nodiscard]] int down_fd() const { return down_.fd(); }
  [[nodiscard]] bool has_down() const { return !down_.empty(); }
  template <class Take>
  void consume_down(Take&& take) {
    down_.consume(std::forward<Take>(take));
  }
  // False when the control thread does not keep up: the message is lost.
  [[nodiscard]] bool say(Up message) { return up_.push(std::move(message)); }
  // The control thread is so far behind that what nobody vouched for is not worth its time.
  [[nodiscard]] bool crowded() const { return up_.waiting() >= kUpOfAnybody; }
  // For what the other side must learn: kept in order until there is room, see retry().
  void say_surely(Up message) {
    if (waiting_.empty() && up_.push(std::move(message))) {
      return;
    }
    waiting_.push_back(std::move(message));  // NOLINT(bugprone-use-after-move): a full queue leaves it whole
  }
  void retry() {
    std::size_t said = 0;
    while (said < waiting_.size() && up_.push(std::move(waiting_[said]))) {
      ++said;
    }
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(said));
  }

 private:
  linux::SpscQueue<Down> down_{kCapacity};
  linux::SpscQueue<Up> up_{kUpCapacity};
  std::vector<Up> waiting_;  // of say_surely(), oldest first
};

}  // namespace hearthcast::datapath
